/** A service that makes as many records as it is told on stdin, see ledger-runs.test.ts. */
import { createInterface } from "node:readline";
import { transaction } from "@clew/instrumentation";
import { trace } from "@opentelemetry/api";

const tracer = trace.getTracer("ledger");

for await (const line of createInterface({ input: process.stdin })) {
  for (let left = Number(line); left > 0; left--) await work(left);
  process.stdout.write(`${JSON.stringify({ made: Number(line) })}\n`);
}

/** One span with one log record under it, and one after it. */
function work(number: number): Promise<void> {
  return transaction.run(async () => {
    const span = tracer.startSpan("work");
    console.error("line", number);
    await new Promise(setImmediate);
    span.end();
  });
}
