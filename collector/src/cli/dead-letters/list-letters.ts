import type { GroupView, LetterView } from "../../query/dead-letters/letter-view.ts";
import type { Terminal } from "../terminal.ts";
import { parseCommandLine } from "../usage-error.ts";
import { describeGroups, describeLetters } from "./describe-letters.ts";
import { FILTER_OPTIONS, type LetterFilter, letterFilter, readLimit } from "./letter-filter.ts";
import { openLettersClient, PATH } from "./letters-client.ts";

const LIMIT_MAX = 1000;
const LIMIT_DEFAULT = 100;
const ANY_STATE = "all";

const OPTIONS = {
  ...FILTER_OPTIONS,
  each: { type: "boolean" },
  limit: { type: "string" },
  json: { type: "boolean" },
  url: { type: "string" },
} as const;

/** `clew dead-letters ls`: by cause, or each; exit code 0 where there are any, else 1. */
export async function listLetters(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = parseCommandLine({
    ...{ command: "dead-letters", args, options: OPTIONS, positionalsMax: 0 },
  });
  const limit = readLimit(values.limit, LIMIT_MAX) ?? LIMIT_DEFAULT;
  const { state = "open", ...others } = letterFilter(values);
  const filter: LetterFilter = state === ANY_STATE ? others : { ...others, state };
  const client = openLettersClient(values.url);
  const ask = <T>(more: Record<string, string>) =>
    client.ask<T>({ path: PATH, parameters: { ...filter, ...more, limit: String(limit) } });
  if (values.each || values.transaction !== undefined) {
    const page = await ask<{ deadLetters: LetterView[]; cursor: string | null }>({});
    print(terminal, { items: page.deadLetters, json: values.json, describe: describeLetters });
    if (page.cursor !== null) terminal.note(`the latest ${limit} are shown; see --limit`);
    return answer(page.deadLetters, terminal);
  }
  const page = await ask<{ groups: GroupView[]; isCut: boolean }>({ group: "reason" });
  print(terminal, { items: page.groups, json: values.json, describe: describeGroups });
  if (page.isCut) terminal.note("there are more than were counted in time; see --since, --limit");
  return answer(page.groups, terminal);
}

function print<T>(
  terminal: Terminal,
  shown: {
    readonly items: readonly T[];
    readonly json: boolean | undefined;
    readonly describe: (items: readonly T[], terminal: Terminal) => string;
  },
): void {
  const { items, json, describe } = shown;
  if (json) for (const item of items) terminal.print(JSON.stringify(item));
  else if (items.length > 0) terminal.print(describe(items, terminal));
}

function answer(items: readonly unknown[], terminal: Terminal): number {
  if (items.length > 0) return 0;
  terminal.note("no dead letter matches");
  return 1;
}
