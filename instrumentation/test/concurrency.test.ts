import { expect, test, vi } from "vitest";
import { App } from "./app-process.ts";
import { distinctLogs } from "./http-app.ts";
import { askBusyServer, BUSY_SERVER, LINES_PER_REQUEST } from "./http-busy-server.ts";
import { OtlpSink } from "./otlp-sink.ts";

const REQUESTS = 10_000;

test("10 000 concurrent requests in eleven ways: no record carries another's ID", async () => {
  const sink = new OtlpSink();
  const app = new App({ code: BUSY_SERVER, endpoint: await sink.start() });
  const port = await app.nextJson<number>();
  const ids = Array.from({ length: REQUESTS }, (_, index) => `T-${index}`);
  const answers = await askBusyServer(port, ids);
  expect(answers.filter((answer, index) => answer !== `${ids[index]} ${ids[index]}`)).toEqual([]);
  app.child.stdin?.end();
  const end = await app.ended;
  expect(end.stderr).toBe("");
  await vi.waitFor(() => expect(sink.spans.length).toBeGreaterThanOrEqual(REQUESTS));
  await sink.stop();
  const lines = distinctLogs(sink).filter((log) => log.scope === "pino");
  expect(lines.length).toBeGreaterThan(REQUESTS * LINES_PER_REQUEST);
  const finishing = lines.filter((log) => log.attributes.where === "finish");
  expect(finishing).toHaveLength(REQUESTS);
  const wrong = lines.filter(
    (log) => log.attributes["clew.transaction.id"] !== log.attributes.want,
  );
  expect(wrong).toEqual([]);
  // Each line hangs on a span of its own transaction.
  const transactionOf = new Map(
    sink.spans.map((span) => [span.spanId, span.attributes["clew.transaction.id"]]),
  );
  const astray = lines.filter((log) => transactionOf.get(log.spanId) !== log.attributes.want);
  expect(astray).toEqual([]);
  expectGapless(sink);
}, 120_000);

/** Uids count from 1 without a gap, and nothing arrived twice under two numbers. */
function expectGapless(sink: OtlpSink): void {
  const numbers = [...sink.logs, ...sink.reports].map((log) =>
    Number(`${log.attributes["log.record.uid"]}`.split("-")[1]),
  );
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  expect(distinct).toEqual(distinct.map((_, index) => index + 1));
  const sequences = sink.spans.map((span) => span.attributes["clew.span.sequence"] as number);
  const spans = [...new Set(sequences)].sort((a, b) => a - b);
  expect(spans).toEqual(spans.map((_, index) => index + 1));
}
