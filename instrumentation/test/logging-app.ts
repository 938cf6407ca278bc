/** A short service that logs, in a process of its own, and what its logger wrote. */
import { expect } from "vitest";
import { type AppEnd, runApp } from "./app-process.ts";
import type { ReceivedLog } from "./otlp-sink.ts";

const PRELUDE = `
  import { instrumentationStats, transaction } from "@clew/instrumentation";
  process.on("exit", () => {
    const { faults, lastFault } = instrumentationStats();
    if (Object.keys(faults).length > 0) process.stderr.write(String(lastFault));
  });
`;

/** Runs the code, instrumented; fails where the package complained or had a fault of its own. */
export async function runLogging(app: { code: string; endpoint: string }): Promise<AppEnd> {
  const end = await runApp({ ...app, code: PRELUDE + app.code });
  expect(end.stderr).not.toMatch(/clew:|-logs: /);
  return end;
}

/** JSON lines, as a logger writes them. */
export function linesOf(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The attributes that are the line's own, of each record. */
export function ownAttributes(logs: readonly ReceivedLog[]): Record<string, unknown>[] {
  return logs.map(({ attributes: { "log.record.uid": _, ...rest } }) => rest);
}
