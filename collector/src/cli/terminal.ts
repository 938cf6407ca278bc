import type { Readable } from "node:stream";
import { readClientConfig } from "../config.ts";

/** Where a command reads and writes; a test gives its own. */
export interface Terminal {
  readonly stdin: Readable;
  /** A person reads stdout as it comes. */
  readonly isInteractive: boolean;
  readonly columns: number;
  readonly colour: Colour;
  print(text: string): void;
  /** A remark beside the output: stderr. */
  note(text: string): void;
}

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";
export type Colour = (style: Style, text: string) => string;

const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
  cyan: [36, 39],
};
const COLUMNS_DEFAULT = 100;
const COLUMNS_MIN = 40;

export const plain: Colour = (_style, text) => text;

export const coloured: Colour = (style, text) => {
  const [on, off] = CODES[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
};

export class ProcessTerminal implements Terminal {
  readonly isInteractive = process.stdout.isTTY === true;
  #colour: Colour | undefined;

  constructor() {
    // A reader that went away (`clew logs | head`) is no failure of ours.
    process.stdout.on("error", endQuietly);
    process.stderr.on("error", endQuietly);
  }

  get stdin(): Readable {
    return process.stdin;
  }

  get columns(): number {
    return Math.max(COLUMNS_MIN, process.stdout.columns || COLUMNS_DEFAULT);
  }

  get colour(): Colour {
    this.#colour ??= this.isInteractive && readClientConfig().mayColour ? coloured : plain;
    return this.#colour;
  }

  print(text: string): void {
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  }

  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** One line where the reason is known; a fault of our own comes with its stack. */
  fail(reason: unknown): void {
    const fault = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    this.note(typeof reason === "string" ? reason : `cannot go on, by a fault of clew's: ${fault}`);
  }
}

function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}
