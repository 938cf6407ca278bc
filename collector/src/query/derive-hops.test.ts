import { ATTRIBUTE } from "@clew/instrumentation/names";
import { describe, expect, test } from "vitest";
import { type SpanSample, sampleSpan } from "../../test/span-samples.ts";
import type { Attributes } from "../record.ts";
import { deriveHops, HOPS_MAX } from "./derive-hops.ts";
import type { Hop } from "./hop.ts";

const HTTP = { "http.request.method": "POST", "http.route": "/orders/:id" };

function hopsOf(...samples: SpanSample[]): readonly Hop[] {
  return deriveHops(samples.map(sampleSpan)).hops;
}

/** `from>to` of each, in order. */
function routesOf(hops: readonly Hop[]): string[] {
  return hops.map(({ from, to, answered }) => `${from}>${to}${answered ? "" : "?"}`);
}

test("a customer's request, a call under it and the job after it", () => {
  const hops = hopsOf(
    { id: "s1", service: "orders", kind: "server", at: 0, ms: 50, attributes: HTTP },
    { id: "i1", parent: "s1", service: "orders", kind: "internal", at: 1 },
    { id: "c1", parent: "i1", service: "orders", kind: "client", at: 2, ms: 30, attributes: HTTP },
    {
      id: "s2",
      parent: "c1",
      service: "payments",
      kind: "server",
      at: 4,
      ms: 25,
      attributes: HTTP,
    },
    { id: "p1", parent: "i1", service: "orders", kind: "producer", at: 40, ms: 5 },
    {
      id: "k1",
      parent: "p1",
      service: "shipping",
      kind: "consumer",
      at: 145,
      ms: 20,
      attributes: {
        "messaging.destination.name": "dispatch",
        "messaging.operation.name": "process",
      },
    },
  );
  expect(hops).toMatchObject([
    {
      id: "1",
      parentId: null,
      from: null,
      to: "orders",
      kind: "http",
      operation: "POST /orders/:id",
      startedAt: "2026-01-31T12:00:00.000000000Z",
      durationMs: 50,
      status: "ok",
      error: null,
    },
    { id: "2", parentId: "1", from: "orders", to: "payments", durationMs: 30 },
    {
      id: "3",
      parentId: "1",
      from: "orders",
      to: "shipping",
      kind: "messaging",
      operation: "process dispatch",
      startedAt: "2026-01-31T12:00:00.040000000Z",
      durationMs: 20,
      waitMs: 100,
    },
  ]);
  expect(hops).toHaveLength(3);
});

const RETRY_OF_A_CALL: SpanSample[] = [
  { id: "c1", service: "orders", kind: "client", at: 1 },
  { id: "s1", parent: "c1", service: "payments", kind: "server", at: 2 },
  { id: "s2", parent: "c1", service: "payments", kind: "server", at: 3 },
];

test.each<[string, SpanSample[], string[]]>([
  ["nothing", [], []],
  ["a server span alone", [{ id: "1", service: "a", kind: "server" }], ["null>a"]],
  [
    "a server span whose parent is not known",
    [{ id: "1", parent: "9", service: "a", kind: "server" }],
    ["null>a"],
  ],
  ["one call taken twice", RETRY_OF_A_CALL, ["orders>payments", "orders>payments"]],
  [
    "a caller that left no client span",
    [
      { id: "1", service: "a", kind: "internal" },
      { id: "2", parent: "1", service: "b", kind: "server" },
    ],
    ["a>b"],
  ],
  [
    "a server span within another of its own service",
    [
      { id: "1", service: "a", kind: "server" },
      { id: "2", parent: "1", service: "a", kind: "server" },
    ],
    ["null>a"],
  ],
  [
    "a service that calls itself",
    [
      { id: "1", service: "a", kind: "client" },
      { id: "2", parent: "1", service: "a", kind: "server" },
    ],
    ["a>a"],
  ],
  [
    "client and server span with one id, as Zipkin has it",
    [
      { id: "1", service: "a", kind: "client" },
      { id: "1", service: "b", kind: "server" },
      {
        id: "2",
        parent: "1",
        service: "b",
        kind: "client",
        at: 1,
        attributes: { "peer.service": "c" },
      },
    ],
    ["a>b", "b>c?"],
  ],
  [
    "a library's client span over the one that went out",
    [
      { id: "1", service: "a", kind: "client" },
      { id: "2", parent: "1", service: "a", kind: "client" },
      { id: "3", parent: "2", service: "b", kind: "server" },
    ],
    ["a>b"],
  ],
  [
    "a batch that links to its producers",
    [
      { id: "1", service: "a", kind: "producer", at: 0 },
      { id: "2", service: "b", kind: "producer", at: 1 },
      { id: "3", service: "c", kind: "consumer", at: 2, links: ["1", "2", "2", "9"] },
    ],
    ["a>c", "b>c"],
  ],
  [
    "the same ids in two traces",
    [
      { id: "1", service: "a", kind: "client", trace: "t1" },
      { id: "2", parent: "1", service: "b", kind: "server", trace: "t2", at: 1 },
    ],
    ["a>null?", "null>b"],
  ],
])("hops of %s", (_name, samples, want) => {
  expect(routesOf(hopsOf(...samples))).toEqual(want);
});

test.each<[Attributes, string | null, string]>([
  [{ "peer.service": "bank" }, "bank", "other"],
  [{ "server.address": "bank.example", "http.request.method": "GET" }, "bank.example", "http"],
  [{ "net.peer.name": "old.example", "http.method": "GET" }, "old.example", "http"],
  [{ "url.full": "https://u:p@bank.example:8443/pay?card=1" }, "bank.example:8443", "other"],
  [{ "url.full": "not a url" }, null, "other"],
  [{ "db.system.name": "postgresql", "db.namespace": "ledger" }, "ledger", "database"],
  [{ "messaging.system": "kafka", "messaging.destination.name": "jobs" }, "jobs", "messaging"],
  [{ "rpc.system": "grpc", "server.address": "x" }, "x", "rpc"],
  [{ "peer.service": ["bank"], "server.address": null }, null, "other"],
  [{}, null, "other"],
])("a call that nobody answered goes to what %j names", (attributes, to, kind) => {
  const [hop] = hopsOf({ id: "1", service: "a", kind: "client", attributes });
  expect(hop).toMatchObject({ from: "a", to, kind, answered: false });
});

test.each<[string, Attributes, string]>([
  ["work", HTTP, "POST /orders/:id"],
  ["work", { "http.method": "GET", "http.target": "/pay?card=1" }, "GET /pay"],
  ["work", { "http.request.method": "GET" }, "work"],
  ["work", { "messaging.system": "kafka", "messaging.destination.name": "jobs" }, "jobs"],
  ["x".repeat(1000), {}, `${"x".repeat(255)}…`],
])("the operation of %.20s with %j", (name, attributes, want) => {
  expect(hopsOf({ id: "1", service: "a", kind: "server", name, attributes })[0]?.operation).toBe(
    want,
  );
});

test.each<[Partial<SpanSample>, string | null]>([
  [{}, null],
  [{ status: "ok", attributes: { "http.response.status_code": 404 } }, null],
  [{ attributes: { "http.response.status_code": 503 } }, "HTTP 503"],
  [{ status: "error", attributes: { "http.response.status_code": 402 } }, "HTTP 402"],
  [{ status: "error", statusMessage: "card declined" }, "card declined"],
  [{ status: "error", attributes: { "error.type": "ECONNRESET" } }, "ECONNRESET"],
  [
    {
      status: "error",
      events: [{ name: "exception", time: "", attributes: { "exception.message": "no stock" } }],
    },
    "no stock",
  ],
  [{ status: "error" }, "the span says error, not why"],
])("of %j the error is %j", (sample, error) => {
  const [hop] = hopsOf({ id: "1", service: "a", kind: "server", ...sample });
  expect(hop).toMatchObject({ error, status: error === null ? "ok" : "error" });
});

test("either side can say that the hop failed", () => {
  const [hop] = hopsOf(
    { id: "1", service: "a", kind: "client", status: "error", statusMessage: "timed out" },
    { id: "2", parent: "1", service: "b", kind: "server" },
  );
  expect(hop).toMatchObject({ status: "error", error: "timed out" });
});

test("the consumer's own measure of the wait comes first", () => {
  const [hop] = hopsOf(
    { id: "1", service: "a", kind: "producer" },
    {
      id: "2",
      parent: "1",
      service: "b",
      kind: "consumer",
      at: 500,
      attributes: { [ATTRIBUTE.queueWaitMs]: 42 },
    },
  );
  expect(hop?.waitMs).toBe(42);
});

test("one message to several consumers, several to one, and what a message was made from", () => {
  const sources = { "clew.transaction.sources": ["order-7", "order-8", 9] };
  const hops = hopsOf(
    { id: "p1", service: "orders", kind: "producer", at: 0 },
    { id: "p2", service: "stock", kind: "producer", at: 1, attributes: sources },
    { id: "k1", parent: "p1", service: "mail", kind: "consumer", at: 20 },
    { id: "k2", service: "bill", kind: "consumer", at: 30, links: ["p1", "p2"] },
  );
  expect(
    hops.map(({ from, to, fanOut, fanIn, sources }) => [from, to, fanOut, fanIn, sources]),
  ).toEqual([
    ["orders", "mail", 2, undefined, undefined],
    ["orders", "bill", 2, 2, undefined],
    ["stock", "bill", undefined, 2, ["order-7", "order-8"]],
  ]);
});

describe("hostile spans", () => {
  test.each<[string, SpanSample[], string[]]>([
    ["its own parent", [{ id: "1", parent: "1", service: "a", kind: "server" }], ["null>a"]],
    ["its own link", [{ id: "1", service: "a", kind: "consumer", links: ["1"] }], ["null>a"]],
    [
      "a client that is its own parent",
      [{ id: "1", parent: "1", service: "a", kind: "client" }],
      ["a>null?"],
    ],
    [
      "two that are each other's parent",
      [
        { id: "1", parent: "2", service: "a", kind: "client" },
        { id: "2", parent: "1", service: "b", kind: "server" },
      ],
      ["a>b"],
    ],
    [
      "a ring of inner spans under a call",
      [
        { id: "1", parent: "2", service: "a", kind: "internal" },
        { id: "2", parent: "1", service: "a", kind: "internal" },
        { id: "3", parent: "1", service: "a", kind: "client" },
      ],
      ["a>null?"],
    ],
    [
      "the same span again",
      [
        { id: "1", service: "a", kind: "server" },
        { id: "1", service: "b", kind: "server" },
      ],
      ["null>a"],
    ],
    [
      "no ids at all",
      [
        { id: "", service: "a", kind: "server" },
        { id: "", parent: "", service: "b", kind: "client" },
      ],
      ["null>a", "b>null?"],
    ],
    ["a kind nobody knows", [{ id: "1", service: "a", kind: "constructor" }], []],
  ])("%s", (_name, samples, want) => {
    expect(routesOf(hopsOf(...samples))).toEqual(want);
  });

  test("no time: last, and without a start; times out of range likewise", () => {
    const hops = hopsOf(
      { id: "1", service: "late", kind: "server", at: null, ms: Number.NaN },
      { id: "2", service: "early", kind: "server", at: 5, ms: -3 },
    );
    expect(hops).toMatchObject([
      { to: "early", durationMs: 0 },
      { to: "late", startedAt: null, durationMs: 0 },
    ]);
  });

  test("a chain of ten thousand calls is walked once", () => {
    const samples = Array.from({ length: 10_000 }, (_, i) => ({
      id: String(i),
      ...(i > 0 ? { parent: String(i - 1) } : {}),
      service: i % 2 === 0 ? "a" : "b",
      kind: i === 0 ? "server" : "client",
      at: i,
    }));
    const { hops, isCut } = deriveHops(samples.map(sampleSpan));
    expect(hops).toHaveLength(10_000);
    expect(hops.slice(1).every((hop) => hop.parentId === "1")).toBe(true);
    expect(isCut).toBe(false);
  });

  test("links beyond what can be shown are cut, and said to be", () => {
    const producers = Array.from({ length: 500 }, (_, i) => ({
      id: `p${i}`,
      service: "a",
      kind: "producer",
    }));
    const links = producers.map(({ id }) => id);
    const consumers = Array.from({ length: 40 }, (_, i) => ({
      id: `k${i}`,
      service: "b",
      kind: "consumer",
      links,
    }));
    const { hops, isCut } = deriveHops([...producers, ...consumers].map(sampleSpan));
    expect(hops).toHaveLength(HOPS_MAX);
    expect(isCut).toBe(true);
  });
});
