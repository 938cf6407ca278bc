import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { App, REGISTER, runApp } from "./app-process.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

const LINES = `
  import pino from "pino";
  const log = pino();
  const write = () => { for (let i = 0; i < 100; i++) log.info({ i }, "line"); };
`;

/** The numbers of the lines that arrived, whatever else did. */
function arrived(): number[] {
  const numbers = sink.logs.map((log) => log.attributes.i).filter((i) => i !== undefined);
  return [...new Set(numbers as number[])].sort((a, b) => a - b);
}

const ALL = Array.from({ length: 100 }, (_, index) => index);

test.each([
  ["the loop runs empty", "write();", 0, null],
  ["process.exit in the same tick", "write(); process.exit(3);", 3, null],
  ["process.exit later", "write(); setTimeout(() => process.exit(4), 20);", 4, null],
  ["a throw", "write(); throw new Error('thrown');", 1, null],
  ["a rejection", "write(); Promise.reject(new Error('rejected'));", 1, null],
  ["process.exitCode", "write(); process.exitCode = 7;", 7, null],
  [
    "SIGTERM to itself",
    "write(); setInterval(() => 0, 1e3); process.kill(process.pid, 'SIGTERM');",
    null,
    "SIGTERM",
  ],
  [
    "SIGINT to itself",
    "write(); setInterval(() => 0, 1e3); process.kill(process.pid, 'SIGINT');",
    null,
    "SIGINT",
  ],
  [
    "a handler of the service that exits",
    "process.on('SIGTERM', () => process.exit(9)); setInterval(() => 0, 1e3);" +
      "write(); process.kill(process.pid, 'SIGTERM');",
    9,
    null,
  ],
])("100 lines, then %s: all arrive, and it ends as without us", async (_, code, exit, signal) => {
  const end = await runApp({ code: LINES + code, endpoint });
  expect(arrived()).toEqual(ALL);
  expect([end.code, end.signal]).toEqual([exit, signal]);
  expect(end.stderr).not.toContain("clew:");
});

test("an uncaught error becomes a record of its own, with its stack", async () => {
  const end = await runApp({ code: "throw new RangeError('too far');", endpoint });
  expect(end.stderr).toContain("RangeError: too far");
  expect(sink.logs.map((log) => [log.severityText, log.attributes["exception.type"]])).toEqual([
    ["FATAL", "RangeError"],
  ]);
  expect(sink.logs[0]?.attributes["exception.stacktrace"]).toContain("RangeError: too far");
});

test("a service that handles its uncaught errors lives on", async () => {
  const code = `
    process.on("uncaughtException", () => { console.log('"handled"'); process.exitCode = 5; });
    setTimeout(() => { throw new Error("x"); });
  `;
  const end = await runApp({ code, endpoint });
  expect(end).toMatchObject({ code: 5, stdout: '"handled"\n' });
});

test.each([
  ["on disk", {}, /clew: \d{3} records wait on disk for the next start/],
  ["in memory", { CLEW_SPOOL_DIR: "off" }, /clew: \d{3} records were not delivered before the/],
])("with the collector down and records %s it ends, and says so", async (_, env, message) => {
  await sink.stop();
  const end = await runApp({ code: `${LINES} write();`, endpoint, env });
  expect(end.code).toBe(0);
  expect(end.stderr).toMatch(message);
  sink = new OtlpSink();
  await sink.start();
});

test("a collector that never answers holds the end up for a bounded time", async () => {
  sink.fault = () => true;
  const end = await runApp({ code: `${LINES} write();`, endpoint });
  expect(end.code).toBe(0);
  expect(end.stderr).toMatch(/\d{3} records wait on disk/);
});

test("nothing of ours keeps a process alive, and an idle one sends nothing", async () => {
  const end = await runApp({ code: "", endpoint });
  expect(end).toMatchObject({ code: 0, stderr: "" });
  expect(sink.requests).toEqual([]);
});

test("SIGTERM from outside, in the middle of a running service", async () => {
  const code = `${LINES} write(); setInterval(() => 0, 1000); process.stdin.resume();
    process.stdout.write('"ready"\\n');`;
  const app = new App({ code, endpoint });
  await once(app.child, "spawn");
  await app.nextJson();
  app.child.kill("SIGTERM");
  expect((await app.ended).signal).toBe("SIGTERM");
  expect(arrived()).toEqual(ALL);
});

test("OTEL_SDK_DISABLED=true: nothing at all", async () => {
  const env = { OTEL_SDK_DISABLED: "true" };
  const code = `${LINES} write(); process.stderr.write(String(process.listenerCount("SIGTERM")));`;
  const end = await runApp({ code, endpoint, env });
  expect(end.stderr).toBe("0");
  expect(sink.requests).toEqual([]);
});

test("CommonJS, by --import and by require", async () => {
  const lines = `const log = require("pino")();
    for (let i = 0; i < 100; i++) log.info({ i }, "x");`;
  await runApp({ code: lines, endpoint, args: [...REGISTER, "--input-type=commonjs"] });
  expect(arrived()).toEqual(ALL);
  sink.logs.length = 0;
  const required = `require("@clew/instrumentation/register"); ${lines}`;
  await runApp({ code: required, endpoint, args: ["--input-type=commonjs"] });
  expect(arrived()).toEqual(ALL);
});

test("an ES module whose first line imports register", async () => {
  const code = `import "@clew/instrumentation/register"; ${LINES} write();`;
  await runApp({ code, endpoint, args: ["--input-type=module"] });
  expect(arrived()).toEqual(ALL);
});

test("a worker thread is a run of its own, and its lines arrive too", async () => {
  const code = `
    import { Worker } from "node:worker_threads";
    console.log("main");
    new Worker('console.log("worker")', { eval: true });
  `;
  await runApp({ code, endpoint });
  expect(sink.logs.map((log) => log.body).sort()).toEqual(["main", "worker"]);
  expect(new Set(sink.logs.map((log) => log.resource["clew.run.id"])).size).toBe(2);
});
