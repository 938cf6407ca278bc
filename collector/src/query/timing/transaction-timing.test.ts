import { describe, expect, test } from "vitest";
import { type SpanSample, sampleSpan } from "../../../test/span-samples.ts";
import { PATH_PARTS_MAX, timeTransaction } from "./transaction-timing.ts";

const time = (...samples: SpanSample[]) => timeTransaction(samples.map(sampleSpan));

/** `kind service operation from+duration` of each part of the path. */
function pathOf(...samples: SpanSample[]): string[] {
  return time(...samples).criticalPath.map(
    ({ kind, service, operation, startedAt, durationMs }) =>
      `${kind} ${service} ${operation} ${Date.parse(startedAt) - NOON_MS}+${durationMs}`,
  );
}

const NOON_MS = Date.UTC(2026, 0, 31, 12);
const ENTRY = { id: "s1", service: "orders", kind: "server", name: "order", at: 0, ms: 100 };
const CALL = { id: "c1", parent: "s1", service: "orders", kind: "client", name: "pay" };
const ANSWER = { id: "s2", parent: "c1", service: "payments", kind: "server", name: "charge" };

describe("the critical path", () => {
  test.each<[string, SpanSample[], string[]]>([
    ["of nothing is nothing", [], []],
    ["of one span is that span", [ENTRY], ["work orders order 0+100"]],
    [
      "goes through a call and its answer",
      [ENTRY, { ...CALL, at: 10, ms: 60 }, { ...ANSWER, at: 20, ms: 40 }],
      [
        "work orders order 0+10",
        "network orders pay 10+10",
        "work payments charge 20+40",
        "network orders pay 60+10",
        "work orders order 70+30",
      ],
    ],
    [
      "of two calls at once takes the longer",
      [ENTRY, { ...CALL, at: 10, ms: 60 }, { ...CALL, id: "c2", name: "stock", at: 10, ms: 80 }],
      ["work orders order 0+10", "network orders stock 10+80", "work orders order 90+10"],
    ],
    [
      "of two calls in a row takes both",
      [ENTRY, { ...CALL, at: 10, ms: 20 }, { ...CALL, id: "c2", name: "stock", at: 50, ms: 40 }],
      [
        "work orders order 0+10",
        "network orders pay 10+20",
        "work orders order 30+20",
        "network orders stock 50+40",
        "work orders order 90+10",
      ],
    ],
    [
      "shows how long a message waited, apart from the work",
      [
        ENTRY,
        {
          id: "p1",
          parent: "s1",
          service: "orders",
          kind: "producer",
          name: "send",
          at: 90,
          ms: 5,
        },
        {
          id: "k1",
          parent: "p1",
          service: "mail",
          kind: "consumer",
          name: "mail",
          at: 500,
          ms: 20,
        },
      ],
      [
        "work orders order 0+90",
        "network orders send 90+5",
        "queue mail mail 95+405",
        "work mail mail 500+20",
      ],
    ],
    [
      "follows a link where there is no parent",
      [
        { id: "p1", service: "orders", kind: "producer", name: "send", at: 0, ms: 5 },
        {
          id: "k1",
          service: "mail",
          kind: "consumer",
          name: "mail",
          at: 25,
          ms: 20,
          links: ["p1"],
        },
      ],
      ["network orders send 0+5", "queue mail mail 5+20", "work mail mail 25+20"],
    ],
    [
      "of many messages takes the one that came last",
      [
        { id: "p1", service: "orders", kind: "producer", name: "one", at: 0, ms: 5 },
        { id: "p2", service: "stock", kind: "producer", name: "two", at: 30, ms: 5 },
        {
          ...{ id: "k1", service: "mail", kind: "consumer", name: "both", at: 40, ms: 10 },
          links: ["p1", "p2"],
        },
      ],
      ["network stock two 30+5", "queue mail both 35+5", "work mail both 40+10"],
    ],
    [
      "goes on after a span that outlives its parent",
      [
        { ...ENTRY, ms: 20 },
        {
          id: "i1",
          parent: "s1",
          service: "orders",
          kind: "internal",
          name: "later",
          at: 50,
          ms: 30,
        },
      ],
      ["work orders order 0+20", "wait orders later 20+30", "work orders later 50+30"],
    ],
    [
      "survives spans that are each other's parents",
      [
        { id: "a", parent: "b", service: "x", kind: "internal", name: "a", at: 0, ms: 10 },
        { id: "b", parent: "a", service: "x", kind: "internal", name: "b", at: 0, ms: 10 },
        { id: "c", parent: "c", service: "x", kind: "internal", name: "c", at: 0, ms: 5 },
      ],
      ["work x b 0+10"],
    ],
    [
      "passes over a span without a time",
      [ENTRY, { ...CALL, at: null }],
      ["work orders order 0+100"],
    ],
  ])("%s", (_, samples, want) => {
    expect(pathOf(...samples)).toEqual(want);
    // In whatever order the store gives them.
    expect(pathOf(...samples.toReversed())).toEqual(want);
  });

  test("adds up to the time between the first start and the last end", () => {
    const { criticalPath, pathMs } = time(
      ENTRY,
      { ...CALL, at: 10, ms: 60 },
      { ...ANSWER, at: 20, ms: 40 },
      { id: "p1", parent: "s2", service: "payments", kind: "producer", at: 55, ms: 2 },
      { id: "k1", parent: "p1", service: "mail", kind: "consumer", at: 300, ms: 20 },
    );
    const sum = criticalPath.reduce((ms, part) => ms + part.durationMs, 0);
    expect(sum).toBe(320);
    expect(pathMs).toEqual({ work: 10 + 35 + 20, network: 10 + 2, queue: 243, wait: 0 });
  });

  test("keeps the longest parts where there are more than can be shown", () => {
    const calls = Array.from({ length: PATH_PARTS_MAX }, (_, i) => ({
      ...{ ...CALL, id: `c${i}`, at: 10 * i, ms: 4 },
    }));
    const found = time({ ...ENTRY, ms: 10 * PATH_PARTS_MAX }, ...calls);
    expect(found.isCut).toBe(true);
    expect(found.criticalPath).toHaveLength(PATH_PARTS_MAX);
    expect(new Set(found.criticalPath.map(({ kind }) => kind))).toEqual(new Set(["work"]));
    expect(found.pathMs.network).toBe(4 * PATH_PARTS_MAX);
  });
});

describe("clocks", () => {
  const far = (at: number) => ({ ...ANSWER, at, ms: 40 });

  test.each([5000, -5000])("a clock %d ms off is found by its hops, and taken off", (offset) => {
    const spans = [ENTRY, { ...CALL, at: 10, ms: 60 }, far(20 + offset)];
    expect(time(...spans).clocks).toEqual([
      { clock: "payments", services: ["payments"], offsetMs: offset, uncertaintyMs: 10 },
    ]);
    expect(pathOf(...spans)).toEqual([
      "work orders order 0+10",
      "network orders pay 10+10",
      "work payments charge 20+40",
      "network orders pay 60+10",
      "work orders order 70+30",
    ]);
  });

  test("a call that its caller gave up says nothing of the clocks but the order", () => {
    const late = { ...ANSWER, at: 20, ms: 4000 };
    expect(time(ENTRY, { ...CALL, at: 10, ms: 60 }, late).clocks).toEqual([]);
  });

  test("services of one host have one clock", () => {
    const host = { resource: { "host.name": "node-1" } };
    const spans = [
      { ...ENTRY, ...host },
      { ...CALL, ...host, at: 10, ms: 60 },
      { ...far(9000), ...host },
    ];
    expect(time(...spans).clocks).toEqual([]);
  });
});
