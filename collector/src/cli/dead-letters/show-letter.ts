import { ClewError } from "../../errors.ts";
import type { LetterDetail } from "../../query/dead-letters/letter-view.ts";
import { safeLine } from "../safe-text.ts";
import type { Terminal } from "../terminal.ts";
import { parseCommandLine, wrongUsage } from "../usage-error.ts";
import { describeLetter } from "./describe-letter.ts";
import { letterPath, openLettersClient } from "./letters-client.ts";

const OPTIONS = {
  original: { type: "boolean" },
  json: { type: "boolean" },
  url: { type: "string" },
} as const;

/** `clew dead-letters show <id>`: exit code 0 found, 1 not. */
export async function showLetter(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseCommandLine({
    ...{ command: "dead-letters", args, options: OPTIONS, positionalsMax: 1 },
  });
  const [id] = positionals;
  if (!id) throw wrongUsage("dead-letters", "the id of a dead letter is missing");
  const client = openLettersClient(values.url);
  let letter: LetterDetail;
  try {
    letter = await client.ask<LetterDetail>({ path: letterPath(id) });
  } catch (error) {
    if (!(error instanceof ClewError) || error.code !== "NOT_FOUND") throw error;
    if (values.json) terminal.print(JSON.stringify(null));
    terminal.note(safeLine(error.message));
    return 1;
  }
  if (values.original) return printOriginal(letter, terminal);
  if (values.json) terminal.print(JSON.stringify(letter, null, 2));
  else terminal.print(describeLetter(letter, terminal));
  return 0;
}

/** As `replay --edited` takes it: JSON for an editor, or base64. */
function printOriginal({ original }: LetterDetail, terminal: Terminal): number {
  const { json, base64, problem } = original;
  if (json !== null) terminal.print(JSON.stringify(json, null, 2));
  else if (base64 !== null) terminal.print(base64);
  else terminal.note(`cannot print the original: ${problem ?? "it is not there"}`);
  return json === null && base64 === null ? 1 : 0;
}
