import { safeLine } from "../safe-text.ts";
import type { Terminal } from "../terminal.ts";
import { wrongUsage } from "../usage-error.ts";
import { discardLetters, replayLetters } from "./act-upon-letters.ts";
import { listLetters } from "./list-letters.ts";
import { showLetter } from "./show-letter.ts";

const ACTS = {
  ls: listLetters,
  show: showLetter,
  replay: replayLetters,
  discard: discardLetters,
} as const;

/** `clew dead-letters ls|show|replay|discard`: exit code 0 found or all done, 1 not. */
export async function deadLetters(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "ls" || name === "show" || name === "replay" || name === "discard") {
    return ACTS[name](rest, terminal);
  }
  const what = name === "" ? "what to do is missing" : `it cannot "${safeLine(name)}"`;
  throw wrongUsage("dead-letters", `${what}, but ${Object.keys(ACTS).join(", ")}`);
}
