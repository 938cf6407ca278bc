/** The ledger of real services that send to a real collector, through a line that loses records. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App, REGISTER } from "../../instrumentation/test/app-process.ts";
import { findRfc3339 } from "../src/query/rfc3339.ts";
import type { ShownGap, ShownRun, ShownSignal } from "../src/query/shown-run.ts";
import { LedgerProxy } from "./ledger-proxy.ts";
import { type Served, serve, stopAll } from "./served-collector.ts";

const PROGRAM = join(import.meta.dirname, "ledger-program.ts");
const WAIT = { timeout: 30_000, interval: 100 };

let dir: string;
let collector: Served;
let proxy: LedgerProxy;
let endpoint: string;
const apps: App[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "clew-ledger-"));
  collector = await serve(dir, { PATH: process.env.PATH ?? "" });
  proxy = new LedgerProxy(`http://127.0.0.1:${collector.otlpHttpPort}`);
  endpoint = await proxy.start();
});
afterEach(async () => {
  for (const app of apps.splice(0)) app.child.kill("SIGKILL");
  await proxy.stop();
  await stopAll();
  rmSync(dir, { recursive: true, force: true });
});

function start(service: string): App {
  const app = new App({
    ...{ code: "", endpoint, args: [...REGISTER, PROGRAM] },
    env: { OTEL_SERVICE_NAME: service },
  });
  apps.push(app);
  return app;
}

/** Lets a service make so many spans, each with a log record. */
async function make(app: App, count: number): Promise<void> {
  app.child.stdin?.write(`${count}\n`);
  expect(await app.nextJson()).toEqual({ made: count });
}

async function runOf(service: string): Promise<ShownRun> {
  const url = `http://127.0.0.1:${collector.port}/api/v1/completeness?service=${service}`;
  const { runs } = (await (await fetch(url)).json()) as { runs: ShownRun[] };
  expect(runs).toHaveLength(1);
  return runs[0] as ShownRun;
}

/** Waits until the collector has so many spans of it, and a report that says so. */
function stored(service: string, spans: number): Promise<ShownRun> {
  return vi.waitFor(async () => {
    const run = await runOf(service);
    expect(run.spans.stored).toBe(spans);
    expect(run.logs.stored).toBeGreaterThan(spans);
    return run;
  }, WAIT);
}

/** The end of the program's input is its end. */
async function end(app: App, service: string): Promise<ShownRun> {
  app.child.stdin?.end();
  expect((await app.ended).code).toBe(0);
  return vi.waitFor(async () => {
    const run = await runOf(service);
    expect(run.isFinal).toBe(true);
    return run;
  }, WAIT);
}

interface Lost {
  readonly number: number;
  readonly ns: bigint;
}

function expectGaps(signal: ShownSignal, lost: readonly Lost[]): void {
  const numbers = lost.map(({ number }) => number).toSorted((a, b) => a - b);
  expect(numbers.length).toBeGreaterThan(0);
  expect(signal).toMatchObject({ missing: numbers.length, deadLettered: 0, expired: 0 });
  expect(signal.emitted).toBe(signal.stored + numbers.length);
  expect(signal.gaps.flatMap(({ first, last }) => range(first, last))).toEqual(numbers);
  for (const { number, ns } of lost) {
    const gap = signal.gaps.find(({ first, last }) => first <= number && number <= last);
    const [fromNs, toNs] = timesOf(gap as ShownGap);
    expect(ns).toBeGreaterThanOrEqual(fromNs);
    expect(ns).toBeLessThanOrEqual(toNs);
  }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function timesOf({ from, to }: ShownGap): [bigint, bigint] {
  return [from === null ? 0n : (findRfc3339(from) ?? 0n), findRfc3339(to) ?? 0n];
}

function lostLogs(): Lost[] {
  return proxy.logs.map(({ attributes, timeNs }) => {
    return { number: Number(String(attributes["log.record.uid"]).split("-").at(-1)), ns: timeNs };
  });
}

function lostSpans(): Lost[] {
  return proxy.spans.map(({ attributes, endNs }) => {
    return { number: Number(attributes["clew.span.sequence"]), ns: endNs };
  });
}

test("what is lost on the way is named by number and time, until it comes after all", async () => {
  const lossy = start("lossy");
  await make(lossy, 20);
  await stored("lossy", 20);
  proxy.isWithholding = true;
  await make(lossy, 15);
  await vi.waitFor(() => {
    expect(proxy.spans).toHaveLength(15);
    expect(proxy.logs.length).toBeGreaterThanOrEqual(15);
  }, WAIT);
  proxy.isWithholding = false;
  const healthy = start("healthy");
  await make(lossy, 10);
  await make(healthy, 25);
  await stored("lossy", 30);
  await end(lossy, "lossy");
  // Its last records may come after its final report.
  await vi.waitFor(async () => {
    const run = await runOf("lossy");
    expectGaps(run.logs, lostLogs());
    expectGaps(run.spans, lostSpans());
    expect(run.spans.emitted).toBe(45);
  }, WAIT);
  await end(healthy, "healthy");
  const whole = await stored("healthy", 25);
  expect(whole.spans).toMatchObject({ emitted: 25, missing: 0, gaps: [] });
  await proxy.release();
  await vi.waitFor(async () => {
    const { logs, spans } = await runOf("lossy");
    expect([logs.missing, spans.missing]).toEqual([0, 0]);
    expect([logs.gaps, spans.gaps]).toEqual([[], []]);
  }, WAIT);
}, 120_000);

test("a run that is killed is not final; what it made last is lost without a trace", async () => {
  const app = start("killed");
  await make(app, 5);
  await stored("killed", 5);
  app.child.kill("SIGKILL");
  await app.ended;
  expect(await runOf("killed")).toMatchObject({
    isFinal: false,
    spans: { stored: 5, missing: 0, gaps: [] },
  });
}, 60_000);
