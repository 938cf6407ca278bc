import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { newSignalStats } from "../stats.ts";
import { ExportQueue } from "./export-queue.ts";

const BATCHES = { queueRecords: 5, batchRecords: 2, delayMs: 1000, timeoutMs: 100 };

/** Answers each export with the next result; undefined: it never answers. */
function setUp(results: (ExportResult | undefined | "throws")[] = []) {
  const sent: string[][] = [];
  const told: string[] = [];
  const stats = newSignalStats();
  const queue = new ExportQueue<string>({
    name: "test",
    signal: "traces",
    batches: BATCHES,
    stats,
    transactionIdOf: undefined,
    report: (message) => told.push(message),
    random: () => 1,
    exporter: {
      shutdown: () => Promise.resolve(),
      export: (records, done) => {
        sent.push(records);
        const result = results.length > 0 ? results.shift() : { code: ExportResultCode.SUCCESS };
        if (result === "throws") throw new Error("the exporter is broken");
        if (result !== undefined) done(result);
      },
    },
  });
  return { queue, sent, told, stats };
}

const failed = (code?: string | number): ExportResult => {
  const error = Object.assign(new Error("no"), code === undefined ? {} : { code });
  return { code: ExportResultCode.FAILED, error };
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a full batch goes at once, the rest with the drain", async () => {
  const { queue, sent, stats } = setUp();
  for (const record of ["a", "b", "c"]) queue.push(record);
  await queue.drain(1000);
  expect(sent).toEqual([["a", "b"], ["c"]]);
  expect(stats).toMatchObject({ delivered: 3, dropped: 0, refused: 0 });
  expect(queue.isEmpty).toBe(true);
});

test("beyond the queue's bound the oldest go, counted and told once", () => {
  const { queue, stats, told } = setUp();
  for (const record of "abcdefgh") queue.push(record);
  expect(stats.dropped).toBe(3);
  expect(told).toEqual(["the queue of test is full, the oldest traces go, counted"]);
  expect(queue.abandon()).toBe(5);
  expect(stats.dropped).toBe(8);
});

describe("a batch that fails", () => {
  test.each<[string, ExportResult | undefined]>([
    ["by the network", failed("ECONNREFUSED")],
    ["by HTTP 503", failed(503)],
    ["by HTTP 429", failed(429)],
    ["by gRPC UNAVAILABLE", failed(14)],
    ["by no answer in time", undefined],
  ])("%s is sent again, first of all", async (_, result) => {
    const { queue, sent, stats } = setUp([result]);
    for (const record of "abc") queue.push(record);
    await queue.drain(1000);
    expect(sent).toEqual([["a", "b"]]);
    expect(stats.delivered).toBe(0);
    await queue.drain(1000);
    expect(sent).toEqual([["a", "b"], ["a", "b"], ["c"]]);
    expect(stats).toMatchObject({ delivered: 3, resent: 1, refused: 0, dropped: 0 });
  });

  test.each<[string, ExportResult]>([
    ["HTTP 400", failed(400)],
    ["gRPC INVALID_ARGUMENT", failed(3)],
  ])("by %s is refused, counted, and the next goes on", async (_, result) => {
    const { queue, sent, stats, told } = setUp([result]);
    for (const record of "abc") queue.push(record);
    await queue.drain(1000);
    expect(sent).toEqual([["a", "b"], ["c"]]);
    expect(stats).toMatchObject({ delivered: 1, refused: 2, dropped: 0 });
    expect(told).toEqual(["test refused 2 traces records: no"]);
  });

  test("for no reason that is known is tried eight times", async () => {
    const { queue, sent, stats } = setUp([...Array(7).fill(failed()), "throws"]);
    queue.push("a");
    for (let attempt = 1; attempt <= 8; attempt++) await queue.drain(1000);
    expect(sent).toHaveLength(8);
    expect(stats).toMatchObject({ refused: 1, resent: 7 });
    expect(queue.isEmpty).toBe(true);
  });
});

test("what was abandoned on its way is counted once", async () => {
  const { queue, stats } = setUp([undefined]);
  queue.push("a");
  const drained = queue.drain(1000);
  expect(queue.abandon()).toBe(1);
  await drained;
  queue.push("b");
  expect(stats).toMatchObject({ delivered: 0, dropped: 2, refused: 0 });
  expect(queue.isEmpty).toBe(true);
});
