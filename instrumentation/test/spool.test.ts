import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App, REGISTER, runApp } from "./app-process.ts";
import { OtlpSink } from "./otlp-sink.ts";
import { textsOnDisk } from "./spool-records.ts";

/** Nothing listens there, and nothing will. */
const NOWHERE = "http://127.0.0.1:1";
const IS_ROOT = process.getuid?.() === 0;

let sink: OtlpSink;
let endpoint: string;
let spool: string;
let apps: App[];

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
  spool = mkdtempSync(join(tmpdir(), "clew-spool-test-"));
  apps = [];
});
afterEach(async () => {
  for (const app of apps) app.child.kill("SIGKILL");
  await Promise.all(apps.map((app) => app.ended));
  await sink.stop();
  rmSync(spool, { recursive: true, force: true });
});

const LINES = `
  import pino from "pino";
  const log = pino();
  const write = (from, to) => { for (let i = from; i < to; i++) log.info({ i }, "a-line"); };
`;
/** It lives until it is killed. */
const WAIT = "setInterval(() => 0, 1000);";

function start(code: string, to: { endpoint?: string; env?: Record<string, string> } = {}): App {
  const env = { CLEW_SPOOL_DIR: spool, ...to.env };
  const app = new App({ code: LINES + code, endpoint: to.endpoint ?? NOWHERE, env });
  apps.push(app);
  return app;
}

async function kill(app: App): Promise<void> {
  app.child.kill("SIGKILL");
  await app.ended;
}

/** The numbers of the lines that arrived; twice, where one did so under two uids. */
function arrived(): number[] {
  const byUid = new Map(sink.logs.map((log) => [log.attributes["log.record.uid"], log]));
  const numbers = [...byUid.values()].map((log) => log.attributes.i);
  return (numbers.filter((i) => i !== undefined) as number[]).sort((a, b) => a - b);
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const waiting = (lines: number) =>
  vi.waitFor(() => expect(textsOnDisk(spool, "a-line")).toBe(lines), 20_000);
const allArrived = (count: number) =>
  vi.waitFor(() => expect(arrived()).toEqual(numbers(count)), 20_000);

test("scenario 13: SIGKILL, what was flushed arrives after any service's next start", async () => {
  const first = start(`write(0, 100); ${WAIT}`);
  await waiting(100);
  await kill(first);
  await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: spool, OTEL_SERVICE_NAME: "other" } });
  await allArrived(100);
  const lines = sink.logs.filter((log) => log.attributes.i !== undefined);
  expect(new Set(lines.map((log) => log.resource["service.name"]))).toEqual(new Set(["test-app"]));
  expect(lines.every((log) => Number(log.attempt) >= 2)).toBe(true);
  const runs = new Set(lines.map((log) => log.resource["clew.run.id"]));
  const final = sink.logs.filter((log) => log.attributes["clew.report.final"] === true);
  expect(final.some((log) => runs.has(log.resource["clew.run.id"]))).toBe(false);
  expect(readdirSync(spool)).toEqual([]);
});

test("scenario 13: an error is on disk at once, though nothing else runs", async () => {
  const code = `write(0, 1);
    const spin = () => { for (;;); };
    const begin = () => { log.error({ i: 1 }, "a-line"); setImmediate(spin); };
    process.stdin.once("data", begin);`;
  const first = start(code);
  await waiting(1);
  first.child.stdin?.write("go");
  await waiting(2);
  await kill(first);
  await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: spool } });
  await allArrived(2);
});

test("the collector was down at the end: the records wait for the next start", async () => {
  const end = await start("write(0, 100);").ended;
  expect(end.code).toBe(0);
  expect(end.stderr).toMatch(/clew: 1\d\d records wait on disk for the next start/);
  await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: spool } });
  await allArrived(100);
  expect(readdirSync(spool)).toEqual([]);
});

test("a process that sends no logs leaves those of others to whoever does", async () => {
  await start("write(0, 100);").ended;
  const env = { CLEW_SPOOL_DIR: spool, OTEL_LOGS_EXPORTER: "none" };
  const end = await runApp({ code: "", endpoint, env });
  expect(end.stderr).toBe("");
  expect(readdirSync(spool)).toHaveLength(1);
  await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: spool } });
  await allArrived(100);
});

test("lines of the service's own exit listener come with the next start", async () => {
  await start("process.on('exit', () => write(0, 5));", { endpoint }).ended;
  await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: spool } });
  await allArrived(5);
});

test("a living owner keeps its records, however busy it is", async () => {
  const owner = start(`write(0, 10); setTimeout(() => { for (;;); }, 500); ${WAIT}`);
  await waiting(10);
  const other = start(`console.log('"started"'); ${WAIT}`, { endpoint });
  await other.nextJson();
  await vi.waitFor(() => expect(sink.logs.length).toBeGreaterThan(0), 20_000);
  expect(arrived()).toEqual([]);
  expect(textsOnDisk(spool, "a-line")).toBe(10);
  await kill(owner);
  await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: spool } });
  await allArrived(10);
});

test.skipIf(!IS_ROOT)("and so it does in a container, where process ids count anew", async () => {
  const flags = ["--pid", "--fork", "--kill-child", process.execPath, ...REGISTER];
  const code = `${LINES} write(0, 10); ${WAIT}`;
  const contained = new App({
    code,
    endpoint: NOWHERE,
    env: { CLEW_SPOOL_DIR: spool },
    program: "unshare",
    args: [...flags, "--input-type=module"],
  });
  apps.push(contained);
  await waiting(10);
  await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: spool } });
  expect(arrived()).toEqual([]);
  await kill(contained);
  await vi.waitFor(async () => {
    await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: spool } });
    expect(arrived()).toEqual(numbers(10));
  }, 20_000);
});

test("several that start at once share the work", async () => {
  for (const from of [0, 100, 200]) {
    const app = start(`write(${from}, ${from + 100}); ${WAIT}`);
    await waiting(from + 100);
    await kill(app);
  }
  const env = { CLEW_SPOOL_DIR: spool };
  await Promise.all(numbers(4).map(() => runApp({ code: "", endpoint, env })));
  await allArrived(300);
  const lines = sink.logs.filter((log) => log.attributes.i !== undefined);
  expect(lines).toHaveLength(300);
  expect(readdirSync(spool)).toEqual([]);
});

test("scenario 12: cluster workers and threads have spools of their own", async () => {
  const code = `
    const { default: cluster } = await import("node:cluster");
    const { Worker } = await import("node:worker_threads");
    const exec = process.env.PROGRAM;
    console.log("a-line of the primary");
    new Worker(exec, { execArgv: process.execArgv.slice(0, 2) });
    cluster.setupPrimary({ exec, execArgv: process.execArgv.slice(0, 2) });
    cluster.fork();
    cluster.fork();
    ${WAIT}`;
  const app = start(code, { env: { PROGRAM: join(import.meta.dirname, "spool-worker.ts") } });
  await vi.waitFor(() => expect(readdirSync(spool)).toHaveLength(4), 20_000);
  await waiting(4);
  await kill(app);
  await vi.waitFor(async () => {
    await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: spool } });
    const lines = sink.logs.filter((log) => String(log.body).startsWith("a-line"));
    expect(new Set(lines.map((log) => log.resource["clew.run.id"])).size).toBe(4);
    expect(new Set(lines.map((log) => log.body)).size).toBe(3);
  }, 20_000);
});

test("a process with nothing to send makes no directory", async () => {
  await runApp({ code: "", endpoint, env: { CLEW_SPOOL_DIR: join(spool, "new") } });
  expect(readdirSync(spool)).toEqual([]);
});
