import { type Bench, receivedFrom, startSubject } from "./subject-processes.ts";
import type { Subject } from "./subjects.ts";

export interface LineKind {
  readonly logger: string;
  readonly fields: number;
}

/** pino's rows carry the budget; the others stand beside them. */
export const LINE_KINDS: readonly LineKind[] = [
  { logger: "pino", fields: 0 },
  { logger: "pino", fields: 2 },
  { logger: "winston", fields: 2 },
  { logger: "bunyan", fields: 2 },
  { logger: "console", fields: 0 },
];

export interface LineFigures {
  /** What the service waits for: CPU of its thread inside the logger's call. */
  readonly callNs: number;
  /** CPU of the whole process, whatever it does with the line later: encode, write, send. */
  readonly cpuNs: number;
}

const WARM_UP_LINES = 10_000;

export interface LinesFound {
  readonly figures: ReadonlyMap<LineKind, LineFigures>;
  /** Records that the collector got, per line that was written. */
  readonly recordsPerLine: number;
}

/** One start under one subject: every logger, each at the same pace, inside a request. */
export async function measureLogLines(
  bench: Bench,
  of: { subject: Subject; lines: number },
): Promise<LinesFound> {
  const { subject, lines } = of;
  const before = await receivedFrom(bench, subject);
  const program = startSubject(bench, { subject, program: "log-lines.js" });
  const figures = new Map<LineKind, LineFigures>();
  try {
    const port = await program.ask<number>("port");
    for (const kind of LINE_KINDS) {
      await write({ port, kind, lines: WARM_UP_LINES });
      figures.set(kind, await write({ port, kind, lines }));
    }
    await program.stop();
    const records = (await receivedFrom(bench, subject)).logs - before.logs;
    return { figures, recordsPerLine: records / (LINE_KINDS.length * (WARM_UP_LINES + lines)) };
  } finally {
    await program.stop();
  }
}

const DEADLINE_MS = 60_000;

async function write(of: { port: number; kind: LineKind; lines: number }): Promise<LineFigures> {
  const { logger, fields } = of.kind;
  const query = `logger=${logger}&fields=${fields}&lines=${of.lines}`;
  const answer = await fetch(`http://127.0.0.1:${of.port}/lines?${query}`, {
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  return (await answer.json()) as LineFigures;
}
