import type { Outcome } from "../../query/dead-letters/letter-outcome.ts";
import type { GroupView, LetterView } from "../../query/dead-letters/letter-view.ts";
import { safeLine } from "../safe-text.ts";
import type { Terminal } from "../terminal.ts";
import { formatTable } from "./letter-table.ts";

const NONE = "-";

/** Causes, the commonest first, each with the id of a letter to look at. */
export function describeGroups(groups: readonly GroupView[], terminal: Terminal): string {
  return formatTable(
    groups,
    [
      { title: "COUNT", text: ({ count }) => String(count), isNumber: true },
      { title: "REASON", text: ({ reason }) => reason },
      { title: "SERVICE", text: ({ service }) => service ?? NONE },
      { title: "LAST", text: ({ lastRefusedAt }) => seconds(lastRefusedAt) },
      { title: "FOR EXAMPLE", text: ({ exampleId }) => exampleId },
      { title: "WHAT", text: ({ pattern }) => pattern },
    ],
    terminal,
  );
}

export function describeLetters(letters: readonly LetterView[], terminal: Terminal): string {
  return formatTable(
    letters,
    [
      { title: "REFUSED", text: ({ refusedAt }) => seconds(refusedAt) },
      { title: "STATE", text: ({ state }) => state },
      { title: "REASON", text: ({ reason }) => reason },
      { title: "SERVICE", text: ({ service }) => service ?? NONE },
      { title: "TRANSACTION", text: ({ transactionId }) => transactionId ?? NONE },
      { title: "ID", text: ({ id }) => id },
      { title: "WHAT", text: ({ detail }) => detail },
    ],
    terminal,
  );
}

/** `replay run-1-17: refused: 2097152 bytes …` */
export function describeOutcome(
  { id, result, detail }: Outcome,
  verb: string,
  { colour }: Terminal,
): string {
  const isGood = result === "done" || result === "possible";
  const said = colour(isGood ? "green" : "red", result);
  const why = detail === "" ? "" : `: ${safeLine(detail)}`;
  return `${verb} ${safeLine(id)}: ${said}${why}`;
}

/** Nobody compares dead letters by the millisecond. */
export function seconds(time: string): string {
  return time.replace(/\.\d+Z$/, "Z");
}
