import { readFile } from "node:fs/promises";
import { ClewError } from "../../errors.ts";
import type { ActAnswer } from "../../query/dead-letters/dead-letter-acts.ts";
import type { Outcome } from "../../query/dead-letters/letter-outcome.ts";
import type { QueryClient } from "../query-client.ts";
import { safeLine } from "../safe-text.ts";
import type { Terminal } from "../terminal.ts";
import { parseCommandLine, wrongUsage } from "../usage-error.ts";
import { confirm } from "./confirm.ts";
import { describeOutcome } from "./describe-letters.ts";
import { FILTER_OPTIONS, type LetterFilter, letterFilter, readLimit } from "./letter-filter.ts";
import { openLettersClient, PATH } from "./letters-client.ts";

/** As many as one request takes. */
const LETTERS_PER_REQUEST = 500;
const LIMIT_MAX = 1_000_000;

const OPTIONS = {
  ...FILTER_OPTIONS,
  all: { type: "boolean" },
  because: { type: "string" },
  "dry-run": { type: "boolean" },
  edited: { type: "string" },
  limit: { type: "string" },
  yes: { type: "boolean", short: "y" },
  json: { type: "boolean" },
  url: { type: "string" },
} as const;

type Verb = "replay" | "discard";

/** What the command line asks for. */
interface Order {
  readonly verb: Verb;
  /** Undefined where the filter says which. */
  readonly ids: readonly string[] | undefined;
  readonly filter: LetterFilter;
  readonly limit: number;
  readonly because: string;
  readonly dryRun: boolean;
  readonly edited: object | string | undefined;
  readonly isSure: boolean;
  readonly json: boolean;
  readonly url: string | undefined;
}

/** `clew dead-letters replay`: exit code 0 all of them were sent again, 1 some or all were not. */
export function replayLetters(args: readonly string[], terminal: Terminal): Promise<number> {
  return act("replay", args, terminal);
}

/** `clew dead-letters discard`: exit code as `replayLetters`. */
export function discardLetters(args: readonly string[], terminal: Terminal): Promise<number> {
  return act("discard", args, terminal);
}

async function act(verb: Verb, args: readonly string[], terminal: Terminal): Promise<number> {
  const order = await readOrder(verb, args);
  const client = openLettersClient(order.url);
  const mayBeMany = order.ids === undefined || order.ids.length > 1;
  if (mayBeMany && !order.isSure && !order.dryRun && terminal.isInteractive) {
    const question = await questionOf(client, order);
    if (question === undefined) return nothing(terminal);
    if (!(await confirm(question, terminal))) {
      terminal.note("nothing was done");
      return 1;
    }
  }
  const told = { seen: 0, good: 0 };
  for await (const answer of answersTo(client, order)) {
    for (const outcome of answer.results) {
      told.seen++;
      if (outcome.result === "done" || outcome.result === "possible") told.good++;
      tell(outcome, order, terminal);
    }
  }
  if (told.seen === 0) return nothing(terminal);
  if (!order.json) terminal.print(summaryOf(order, told));
  return told.good === told.seen ? 0 : 1;
}

function nothing(terminal: Terminal): number {
  terminal.note("no dead letter matches");
  return 1;
}

/** Of many only those are shown that were not done. */
function tell(outcome: Outcome, { verb, json, ids, dryRun }: Order, terminal: Terminal): void {
  const isTold = outcome.result !== "done" || ids !== undefined || dryRun;
  if (json) terminal.print(JSON.stringify(outcome));
  else if (isTold) terminal.print(describeOutcome(outcome, verb, terminal));
}

function summaryOf(order: Order, { seen, good }: { seen: number; good: number }): string {
  const did = order.verb === "replay" ? "replayed" : "discarded";
  const would = order.dryRun ? `would be ${did}` : did;
  const others = seen === good ? "" : `; ${seen - good} could not be`;
  return `${good} of ${seen} ${would}${others}`;
}

/** Undefined where there is nothing to ask about. */
async function questionOf(client: QueryClient, order: Order): Promise<string | undefined> {
  const { verb, ids } = order;
  if (ids !== undefined) return `${verb} ${ids.length} dead letters?`;
  const limit = Math.min(LETTERS_PER_REQUEST, order.limit);
  const { results, cursor } = await ask(client, { ...order, dryRun: true, limit }, null);
  if (results.length === 0) return undefined;
  const isMore = cursor !== null && results.length < order.limit;
  return `${verb} ${isMore ? "more than " : ""}${results.length} dead letters?`;
}

/** One answer after the other, until all that match are through. */
async function* answersTo(client: QueryClient, order: Order): AsyncGenerator<ActAnswer> {
  if (order.ids !== undefined) {
    for (let start = 0; start < order.ids.length; start += LETTERS_PER_REQUEST) {
      const ids = order.ids.slice(start, start + LETTERS_PER_REQUEST);
      yield await ask(client, { ...order, ids }, null);
    }
    return;
  }
  let cursor: string | null = null;
  let left = order.limit;
  do {
    const limit = Math.min(LETTERS_PER_REQUEST, left);
    const answer: ActAnswer = await ask(client, { ...order, limit }, cursor);
    yield answer;
    left -= answer.results.length;
    // A bus that takes nothing now takes nothing of the next page either.
    cursor = answer.counts.failed > 0 ? null : answer.cursor;
  } while (cursor !== null && left > 0);
}

function ask(client: QueryClient, order: Order, cursor: string | null): Promise<ActAnswer> {
  const { verb, ids, filter, limit, because, dryRun, edited } = order;
  const which =
    ids === undefined
      ? { filter: cursor === null ? filter : { ...filter, cursor }, limit }
      : edited === undefined
        ? { ids }
        : { id: ids[0], edited };
  return client.send<ActAnswer>({
    path: `${PATH}/${verb}`,
    body: { ...which, reason: because, dryRun },
  });
}

async function readOrder(verb: Verb, args: readonly string[]): Promise<Order> {
  const { values, positionals } = parseCommandLine({
    command: "dead-letters",
    ...{ args, options: OPTIONS, positionalsMax: Number.POSITIVE_INFINITY },
  });
  const filter = letterFilter(values);
  const hasFilter = values.all === true || Object.keys(filter).length > 0;
  if (positionals.length > 0 === hasFilter) {
    const how = "give ids, or say which with --all, --reason, --service, --transaction, --since";
    throw wrongUsage("dead-letters", hasFilter ? "ids and a filter do not go together" : how);
  }
  const because = values.because ?? "";
  if (verb === "discard" && because.trim() === "") {
    throw wrongUsage("dead-letters", "why they are discarded is missing: --because TEXT");
  }
  return {
    verb,
    ids: hasFilter ? undefined : positionals,
    filter,
    limit: readLimit(values.limit, LIMIT_MAX) ?? LIMIT_MAX,
    because,
    dryRun: values["dry-run"] === true,
    edited: await readEdited(verb, values.edited, positionals),
    isSure: values.yes === true,
    json: values.json === true,
    url: values.url,
  };
}

/** OTLP/JSON, or protobuf in base64, as `show --original` prints it. */
async function readEdited(
  verb: Verb,
  path: string | undefined,
  ids: readonly string[],
): Promise<object | string | undefined> {
  if (path === undefined) return undefined;
  if (verb !== "replay" || ids.length !== 1) {
    throw wrongUsage("dead-letters", "--edited goes with replay and one id");
  }
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ClewError("PARAMETER_INVALID", `cannot read ${safeLine(path)}: ${why}`, { cause });
  }
  if (!text.startsWith("{")) return text.replaceAll(/\s/g, "");
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ClewError("REQUEST_MALFORMED", `cannot read ${safeLine(path)}: ${safeLine(why)}`, {
      cause,
    });
  }
}
