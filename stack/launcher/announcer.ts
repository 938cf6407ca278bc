import type { Writable } from "node:stream";

/** What the launcher says: a sentence for people, the same as data for programs. */
export interface Announcement {
  readonly event: string;
  readonly text: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Enough to see what is wrong; the whole is in the log file. */
const RELAYED_LINES_MAX = 5;
const RELAY_WINDOW_MS = 10_000;

/** Writes announcements, and relays warnings of the children without ever flooding the terminal. */
export class Announcer {
  readonly #output: Writable;
  readonly #isJson: boolean;
  readonly #now: () => number;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #relayedLines = 0;

  constructor(request: { output: Writable; isJson: boolean; now: () => number }) {
    this.#output = request.output;
    this.#isJson = request.isJson;
    this.#now = request.now;
  }

  say({ event, text, data }: Announcement): void {
    this.#output.write(this.#isJson ? `${JSON.stringify({ event, ...data })}\n` : `${text}\n`);
  }

  /** A line another process wrote to stderr. */
  relay({ name, line, logFile }: { name: string; line: string; logFile: string }): void {
    const nowMs = this.#now();
    if (nowMs - this.#windowStartMs >= RELAY_WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#relayedLines = 0;
    }
    this.#relayedLines++;
    if (this.#relayedLines > RELAYED_LINES_MAX + 1) return;
    const isLast = this.#relayedLines > RELAYED_LINES_MAX;
    const text = isLast ? `(more in ${logFile})` : line;
    this.say({ event: "warning", text: `${name}: ${text}`, data: { name, line: text } });
  }
}
