import { createInterface } from "node:readline/promises";
import type { Terminal } from "../terminal.ts";

/** Asks on the terminal; anything but a yes is a no, and so is the end of what is typed. */
export async function confirm(question: string, terminal: Terminal): Promise<boolean> {
  terminal.note(`${question} [y/N]`);
  const lines = createInterface({ input: terminal.stdin });
  try {
    for await (const line of lines) return /^\s*y(es)?\s*$/i.test(line);
    return false;
  } finally {
    lines.close();
  }
}
