import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App, runApp } from "../../instrumentation/test/app-process.ts";
import { textsOnDisk } from "../../instrumentation/test/spool-records.ts";
import type { ReadRecord } from "./query-api.ts";
import { RealCollector } from "./real-collector.ts";

const STORED_DEADLINE = { timeout: 50_000, interval: 500 };

let collector: RealCollector;
let spool: string;
let apps: App[];

beforeEach(async () => {
  collector = await RealCollector.start();
  spool = mkdtempSync(join(tmpdir(), "clew-spool-test-"));
  apps = [];
});
afterEach(async () => {
  for (const app of apps) app.child.kill("SIGKILL");
  await Promise.all(apps.map((app) => app.ended));
  await collector.stop();
  rmSync(spool, { recursive: true, force: true });
});

const LINES = `
  import pino from "pino";
  import { transaction } from "@clew/instrumentation";
  const log = pino(pino.destination({ dest: "/dev/null", sync: true }));
  const write = (from, to) => { for (let i = from; i < to; i++) log.info({ i }, "a-line"); };
`;
/** It lives until its standard input says something. */
const WAIT = `process.stdin.once("data", () => process.exit());`;

function start(code: string, env: Readonly<Record<string, string>> = {}): App {
  const all = { CLEW_SPOOL_DIR: spool, ...env };
  const app = new App({ code: LINES + code, endpoint: collector.otlpUrl, env: all });
  apps.push(app);
  return app;
}

/** The numbers of the stored lines. The store has each uid once, so that none counts twice. */
function linesIn(logs: readonly ReadRecord[]): number[] {
  const own = logs.filter((log) => log.message === "a-line");
  expect(new Set(own.map((log) => log.id)).size).toBe(own.length);
  return own.map((log) => Number(log.attributes.i)).toSorted((a, b) => a - b);
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const allStored = (count: number) =>
  vi.waitFor(
    async () => expect(linesIn(await collector.api.logs())).toEqual(numbers(count)),
    STORED_DEADLINE,
  );
const allOnDisk = (lines: number) =>
  vi.waitFor(() => expect(textsOnDisk(spool, "a-line")).toBe(lines), STORED_DEADLINE);

test.each([
  ["process.exit", "process.exit(3);"],
  ["a throw", "throw new Error('thrown');"],
  ["a rejection", "Promise.reject(new Error('rejected'));"],
  ["SIGTERM", "setInterval(() => 0, 1e3); process.kill(process.pid, 'SIGTERM');"],
])("scenario 13: 100 lines, then %s: all arrive", async (_, end) => {
  await start(`write(0, 100); ${end}`).ended;
  await allStored(100);
  expect(readdirSync(spool)).toEqual([]);
});

test("scenario 13: SIGKILL: what was flushed arrives with the next start", async () => {
  await collector.halt();
  const killed = start(`write(0, 100); ${WAIT}`);
  await allOnDisk(100);
  killed.child.kill("SIGKILL");
  await killed.ended;
  await collector.resume();
  await start("").ended;
  await allStored(100);
  const logs = await collector.api.logsAndReports();
  const run = logs.find((log) => log.message === "a-line")?.resource["clew.run.id"];
  const final = logs.filter((log) => log.attributes["clew.report.final"] === true);
  expect(run).toBeDefined();
  expect(final.map((log) => log.resource["clew.run.id"])).not.toContain(run);
});

test("scenario 14: 20 000 lines while the collector is down: all arrive afterwards", async () => {
  await collector.halt();
  const pace = `let at = 0;
    const timer = setInterval(() => {
      write(at, at += 100);
      if (at === 20_000) clearInterval(timer);
    }, 50);`;
  const app = start(`${pace} ${WAIT}`);
  await allOnDisk(20_000);
  await collector.resume();
  await allStored(20_000);
  app.child.stdin?.write("end");
  expect((await app.ended).code).toBe(0);
  expect(readdirSync(spool)).toEqual([]);
});

test("scenario 14: a burst of 100 000 lines: all arrive", async () => {
  const app = start(`write(0, 100_000); ${WAIT}`);
  await vi.waitFor(() => expect(readdirSync(spool)).toHaveLength(1), STORED_DEADLINE);
  await allOnDisk(0);
  await allStored(100_000);
  app.child.stdin?.write("end");
  await app.ended;
});

test("scenario 14: the cap is reached: the oldest go, with their transactions", async () => {
  await collector.halt();
  const code = `
    for (let i = 0; i < 10_000; i++) {
      transaction.run("order-" + i, () => log.info({ i, text: "x".repeat(500) }, "a-line"));
      if (i % 100 === 0) await new Promise(setImmediate);
    }
    process.stdout.write('"written"\\n');
    ${WAIT}`;
  const app = start(code, { CLEW_SPOOL_LIMIT: "4MiB" });
  await app.nextJson();
  await vi.waitFor(() => expect(textsOnDisk(spool, "a-line")).toBeGreaterThan(1000), 20_000);
  await collector.resume();
  await vi.waitFor(() => expect(textsOnDisk(spool, "a-line")).toBe(0), STORED_DEADLINE);
  app.child.stdin?.write("end");
  await app.ended;
  await vi.waitFor(async () => {
    const logs = await collector.api.logsAndReports();
    const report = logs.find((log) => log.attributes["clew.report.final"] === true)?.attributes;
    const dropped = Number(report?.["clew.report.logs.dropped"]);
    const stored = linesIn(logs);
    expect(dropped).toBeGreaterThan(1000);
    expect(logs).toHaveLength(Number(report?.["clew.report.logs.emitted"]) - dropped);
    // One batch was tried before the cap was reached, and is not given up; after it, the newest.
    expect(stored.slice(-1000)).toEqual(numbers(10_000).slice(-1000));
    const reported = report?.["clew.report.dropped_transactions"] as string[];
    expect(reported.length).toBeGreaterThan(500);
    expect(reported.filter((id) => stored.includes(Number(id.slice(6))))).toEqual([]);
  }, STORED_DEADLINE);
});

test("scenario 15: no directory to write to: told once, and the records arrive", async () => {
  const end = await runApp({
    code: `${LINES} write(0, 100);`,
    endpoint: collector.otlpUrl,
    env: { CLEW_SPOOL_DIR: "/proc/clew-spool" },
  });
  expect(end.code).toBe(0);
  expect(end.stderr.match(/cannot keep records on disk/g)).toHaveLength(1);
  await allStored(100);
});
