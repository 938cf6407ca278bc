import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App, runApp } from "./app-process.ts";
import { OtlpSink, type ReceivedLog } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

const LINES = `
  import { trace } from "@opentelemetry/api";
  const write = () => { for (let i = 0; i < 10; i++) console.log("line", i); };
  trace.getTracer("t").startSpan("work").end();
`;

function sequenceOf(log: ReceivedLog): number {
  return Number(String(log.attributes["log.record.uid"]).split("-").at(-1));
}

/** The last report says what arrived: every number from 1 up, its own the highest. */
function expectWhole(): void {
  const all = [...sink.logs, ...sink.reports].map(sequenceOf).toSorted((a, b) => a - b);
  expect(all).toEqual(all.map((_, index) => index + 1));
  const last = sink.reports.toSorted((a, b) => sequenceOf(a) - sequenceOf(b)).at(-1);
  expect(last?.attributes).toMatchObject({
    "clew.report.final": true,
    "clew.report.logs.emitted": all.length,
    "clew.report.spans.emitted": sink.spans.length,
    "clew.report.logs.dropped": 0,
    "clew.report.spans.dropped": 0,
  });
  expect(last && sequenceOf(last)).toBe(all.length);
}

test.each([
  ["the loop runs empty", "write();"],
  ["it still logs in its exit listener", "process.on('exit', write); write();"],
  ["process.exit", "write(); process.exit(3);"],
  [
    "process.exit inside a transaction",
    "import { transaction } from '@clew/instrumentation';" +
      "transaction.run('T-1', () => { write(); process.exit(3); });",
  ],
  ["a throw", "write(); throw new Error('thrown');"],
  ["a rejection", "write(); Promise.reject(new Error('rejected'));"],
  ["SIGTERM", "write(); setInterval(() => 0, 1e3); process.kill(process.pid, 'SIGTERM');"],
  ["SIGINT", "write(); setInterval(() => 0, 1e3); process.kill(process.pid, 'SIGINT');"],
  [
    "SIGTERM with a handler of the service",
    "process.on('SIGTERM', () => process.exit(9)); setInterval(() => 0, 1e3);" +
      "write(); process.kill(process.pid, 'SIGTERM');",
  ],
])("a final report that says all when %s", async (_, code) => {
  await runApp({ code: LINES + code, endpoint });
  expectWhole();
  const reports = sink.reports.map((report) => report.attributes["clew.transaction.id"]);
  expect(reports.every((id) => id === undefined)).toBe(true);
});

test("SIGKILL leaves no final report: the run has an open end", async () => {
  const app = new App({ code: `${LINES} write(); setInterval(() => 0, 1000);`, endpoint });
  await vi.waitFor(() => expect(sink.reports).toHaveLength(1), { timeout: 10_000 });
  app.child.kill("SIGKILL");
  await app.ended;
  expect(sink.reports.map((report) => report.attributes["clew.report.final"])).toEqual([false]);
});

test("the first report comes by itself, with what is known of the instance", async () => {
  const code = `${LINES} write(); process.stdin.on("end", () => process.exit()).resume();`;
  const app = new App({ code, endpoint });
  await vi.waitFor(() => expect(sink.reports).toHaveLength(1), { timeout: 10_000 });
  const [report] = sink.reports;
  expect(report?.attributes).toMatchObject({
    "clew.report.final": false,
    "clew.report.metrics.address": expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  });
  expect(report?.resource).toMatchObject({ "service.name": "test-app" });
  for (const key of ["process.cpu.time", "process.memory.usage", "v8js.memory.heap.used"]) {
    expect(Number(report?.attributes[key])).toBeGreaterThan(0);
  }
  expect(report?.attributes["clew.report.eventloop.delay.p99_ms"]).toBeTypeOf("number");
  expect(report?.attributes["clew.report.network.sent_bytes"]).toBeTypeOf("number");
  app.child.stdin?.end();
  await app.ended;
  expectWhole();
});

test.each([
  ["OTEL_LOGS_EXPORTER", "none"],
  ["OTEL_SDK_DISABLED", "true"],
])("%s=%s: no reports", async (name, value) => {
  const env = { [name]: value };
  await runApp({
    code: `${LINES} write(); await new Promise((r) => setTimeout(r, 700));`,
    endpoint,
    env,
  });
  expect(sink.reports).toEqual([]);
});
