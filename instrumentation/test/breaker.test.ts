import CircuitBreaker from "opossum";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchBreaker } from "../src/index.ts";
import { runApp } from "./app-process.ts";
import { metricValue, TOOLS } from "./metrics-tools.ts";
import { OtlpSink, type ReceivedLog } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

const BREAKER_TOOLS = `${TOOLS}
  import CircuitBreaker from "opossum";
  import { trace } from "@opentelemetry/api";
  import { markExpected, transaction, watchBreaker } from "@clew/instrumentation";
  /** What a call came to, in one word. */
  const fire = (breaker, ...args) => breaker.fire(...args).then(
    (value) => "value " + value, (error) => error.code ?? error.message,
  );
`;

async function run<T>(code: string): Promise<T> {
  const end = await runApp({ code: BREAKER_TOOLS + code, endpoint });
  expect([end.stderr, end.code]).toEqual(["", 0]);
  return JSON.parse(end.stdout.trim().split("\n").at(-1) ?? "") as T;
}

function breakerLogs(): ReceivedLog[] {
  return sink.logs.filter((log) => log.attributes["event.name"] === "clew.breaker");
}

test("scenario 23: trips, rejections and fallbacks, each in the transaction it met", async () => {
  const told = await run<{ outcomes: string[]; text: string }>(`
    let isBroken = true;
    const breaker = watchBreaker(new CircuitBreaker(
      async () => { if (isBroken) throw new Error("declined"); return "paid"; },
      { name: "payments", resetTimeout: 30, errorThresholdPercentage: 1 },
    ));
    const outcomes = [];
    const call = (id) => transaction.run(id, () =>
      trace.getTracer("t").startActiveSpan("pay", async (span) => {
        outcomes.push(await fire(breaker));
        span.end();
      }));
    await call("T-trip");
    await call("T-reject");
    await until(() => breaker.halfOpen);
    isBroken = false;
    await call("T-close");
    breaker.options.resetTimeout = 60_000;
    breaker.fallback(() => "later");
    isBroken = true;
    await call("T-fallback");
    show({ outcomes, text: await scrape() });
  `);
  expect(told.outcomes).toEqual(["declined", "EOPENBREAKER", "value paid", "value later"]);
  const events = breakerLogs().map((log) => [
    log.attributes["clew.transaction.id"],
    log.attributes["clew.breaker.event"],
    log.attributes["clew.breaker.name"],
  ]);
  expect(events).toEqual([
    ["T-trip", "opened", "payments"],
    ["T-reject", "rejected", "payments"],
    [undefined, "half-opened", "payments"],
    ["T-close", "closed", "payments"],
    ["T-fallback", "opened", "payments"],
    ["T-fallback", "fallback", "payments"],
  ]);
  const spans = sink.spans.filter((span) => span.name === "pay");
  const spanEvents = spans.map((span) => [
    span.attributes["clew.transaction.id"],
    span.events.map((event) => event.attributes["clew.breaker.event"]),
  ]);
  expect(spanEvents).toEqual([
    ["T-trip", ["opened"]],
    ["T-reject", ["rejected"]],
    ["T-close", ["closed"]],
    ["T-fallback", ["opened", "fallback"]],
  ]);
  const of = (name: string, labels = "") =>
    metricValue(told.text, `clew_breaker_${name}{breaker="payments"${labels}}`);
  expect([of("trips_total"), of("rejections_total"), of("fallbacks_total")]).toEqual([2, 1, 1]);
  expect([of("successes_total"), of("failures_total", ',expected="false"')]).toEqual([1, 2]);
  expect([of("state", ',state="open"'), of("state", ',state="closed"')]).toEqual([1, 0]);
  expect(sink.reports.at(-1)?.attributes["clew.report.breakers"]).toEqual({ payments: "open" });
});

test("errors that the filter lets pass, or that were marked, are told apart", async () => {
  const told = await run<{ outcomes: string[]; text: string; asked: unknown[] }>(`
    const asked = [];
    const breaker = watchBreaker(new CircuitBreaker(async (what) => { throw what(); }, {
      name: "pay", errorThresholdPercentage: 100, volumeThreshold: 100,
      errorFilter: (error, ...args) => {
        asked.push([error.message, args.length]);
        return error.status === 404;
      },
    }));
    const outcomes = [];
    outcomes.push(await fire(breaker, () => Object.assign(new Error("none"), { status: 404 })));
    outcomes.push(await fire(breaker, () => markExpected(new Error("declined"))));
    outcomes.push(await fire(breaker, () => new Error("broken")));
    show({ outcomes, asked, text: await scrape() });
  `);
  expect(told.outcomes).toEqual(["none", "declined", "broken"]);
  expect(told.asked).toEqual([
    ["none", 1],
    ["declined", 1],
    ["broken", 1],
  ]);
  const failures = (expected: boolean) =>
    metricValue(told.text, `clew_breaker_failures_total{breaker="pay",expected="${expected}"}`);
  expect([failures(true), failures(false)]).toEqual([2, 1]);
  expect(metricValue(told.text, 'clew_breaker_successes_total{breaker="pay"}')).toBe(0);
});

test("time-outs, and calls beyond the capacity", async () => {
  const text = await run<string>(`
    const breaker = watchBreaker(new CircuitBreaker(() => new Promise(() => {}), {
      name: "slow", timeout: 20, capacity: 1, volumeThreshold: 100,
    }));
    const both = () => Promise.all([fire(breaker), fire(breaker)]);
    const outcomes = await transaction.run("T-1", both);
    if (outcomes.join() !== "ETIMEDOUT,ESEMLOCKED") throw new Error(outcomes.join());
    show(await scrape());
  `);
  expect(metricValue(text, 'clew_breaker_timeouts_total{breaker="slow"}')).toBe(1);
  expect(metricValue(text, 'clew_breaker_rejections_total{breaker="slow"}')).toBe(1);
  const told = breakerLogs().map(({ attributes }) => [
    attributes["clew.transaction.id"],
    attributes["clew.breaker.event"],
  ]);
  expect(told).toEqual([
    ["T-1", "rejected"],
    ["T-1", "timed-out"],
  ]);
});

test("watched twice, it is counted once; a second of its name has a name of its own", async () => {
  const text = await run<string>(`
    const make = () => new CircuitBreaker(async () => { throw new Error("x"); }, { name: "a" });
    const [first, second, gone] = [make(), make(), make()];
    for (const breaker of [first, first, second, gone]) watchBreaker(breaker);
    await fire(first);
    gone.shutdown();
    show(await scrape());
  `);
  expect(metricValue(text, 'clew_breaker_trips_total{breaker="a"}')).toBe(1);
  expect(metricValue(text, 'clew_breaker_trips_total{breaker="a-2"}')).toBe(0);
  expect(text).not.toContain('breaker="a-3"');
});

test("without the instrumentation it only passes the breaker through", async () => {
  const breaker = new CircuitBreaker(async (amount: number) => amount * 2, { name: "double" });
  expect(watchBreaker(breaker)).toBe(breaker);
  expect(await watchBreaker(breaker).fire(21)).toBe(42);
  breaker.shutdown();
});
