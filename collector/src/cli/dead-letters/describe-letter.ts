import type { ContentView, LetterDetail } from "../../query/dead-letters/letter-view.ts";
import { safeLine, safeText, wrap } from "../safe-text.ts";
import type { Colour, Terminal } from "../terminal.ts";
import { seconds } from "./describe-letters.ts";

type Page = Pick<Terminal, "columns" | "colour">;

const LABEL_WIDTH = 12;

/** One letter as a person wants to read it: why it was refused, what was done, what it holds. */
export function describeLetter(letter: LetterDetail, page: Page): string {
  const { colour } = page;
  const { state, refusals, status, isWhole } = letter;
  const times = refusals === 1 ? "once" : `${refusals} times`;
  const answered = status === null ? "" : ` (answer ${status})`;
  const fields: readonly [string, string][] = [
    ["state", state],
    ["reason", `${letter.reason}${answered}: ${letter.detail}`],
    ["refused", `${times}, last at ${seconds(letter.refusedAt)}`],
    ["received", `${seconds(letter.receivedAt)} for ${letter.topic}`],
    ["service", letter.service ?? "(none is named)"],
    ["transaction", letter.transactionId ?? "(none is named)"],
    ["run", letter.runId === null ? "" : `${letter.runId}, number ${letter.sequence ?? "unknown"}`],
  ];
  return [
    colour("bold", `Dead letter ${safeLine(letter.id)}`),
    ...fields
      .filter(([, text]) => text !== "")
      .flatMap(([label, text]) => describeField(label, text, page)),
    "",
    ...describeActs(letter, colour),
    ...describeContent("original", letter.original, colour),
    ...(isWhole
      ? []
      : [colour("yellow", "  pieces of it have not arrived: it cannot be replayed")]),
  ].join("\n");
}

function describeField(label: string, text: string, { columns, colour }: Page): string[] {
  return wrap(safeLine(text), columns - LABEL_WIDTH - 2).map((part, index) => {
    const name = (index === 0 ? label : "").padEnd(LABEL_WIDTH);
    return `  ${colour("dim", name)}${part}`;
  });
}

function describeActs({ acts }: LetterDetail, colour: Colour): string[] {
  if (acts.length === 0) return [];
  const lines = acts.flatMap(({ act, at, actor, reason, edited }) => {
    const why = reason === "" ? "" : `: ${safeLine(reason)}`;
    const did = `  ${seconds(at)}  ${act} by ${safeLine(actor)}${why}`;
    return [
      did,
      ...(edited === null ? [] : describeContent("  sent in its place", edited, colour)),
    ];
  });
  return [...lines, ""];
}

function describeContent(name: string, content: ContentView, colour: Colour): string[] {
  const { bytes, json, base64, problem } = content;
  const head = `  ${colour("dim", `${name}, ${bytes} bytes`)}`;
  const said = problem === null ? [] : [`  ${safeLine(problem)}`];
  if (json !== null) return [head, safeText(JSON.stringify(json, null, 2))];
  return base64 === null ? [head, ...said] : [head, ...said, base64];
}
