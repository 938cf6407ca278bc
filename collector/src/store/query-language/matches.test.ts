import { expect, it } from "vitest";
import type { Attributes } from "../../record.ts";
import { matches, type QueriedRecord } from "./matches.ts";
import { parseQuery } from "./parse-query.ts";

const RECORD: QueriedRecord = {
  ...{ kind: "log", message: "Order 42 accepted", body: null, service: "orders" },
  ...{ severityNumber: 10, transactionId: "T-1", traceId: null, spanId: null },
  attributes: {},
  resource: { "host.name": "m1" },
};

function check(query: string, given: Partial<QueriedRecord>, want: boolean) {
  const told = `${query} of ${JSON.stringify(given)}`;
  expect(matches(parseQuery(query), { ...RECORD, ...given }), told).toBe(want);
}

const of = (attributes: Attributes) => ({ attributes });

it("holds words against the searched text", () => {
  for (const query of [
    "",
    "order",
    "ORDER accepted",
    '"42 accepted"',
    "acc*",
    "order-4*",
    "message:*",
  ]) {
    check(query, {}, true);
  }
  for (const query of ["--", "ord", '"order accepted"', "-order", "order-42-x", "42-order*"]) {
    check(query, {}, false);
  }
  check("order.placed", { message: "", attributes: { "event.name": "order.placed" } }, true);
  check('"boom"', of({ "exception.message": "boom", "exception.type": "E" }), true);
  check("message:*", { message: "--" }, false);
  const long = "a".repeat(300);
  check("a".repeat(255), { message: long }, true);
  check("a".repeat(299), { message: long }, true);
  check("a".repeat(254), { message: long }, false);
  check(`${"a".repeat(254)}*`, { message: long }, true);
  expect(matches(parseQuery("x"), RECORD, { text: () => "x" })).toBe(true);
  expect(matches(parseQuery("x"), RECORD, { found: () => true })).toBe(true);
  expect(matches(parseQuery("order"), RECORD, { found: () => undefined })).toBe(true);
});

it("holds fields against values as they are", () => {
  check("service:orders", {}, true);
  check("service:Orders", {}, false);
  check("trace_id:*", {}, false);
  check("transaction_id:*", {}, true);
  check('transaction_id:""', { transactionId: null }, false);
  check("severity:info", {}, true);
  check("severity:>info", {}, false);
  check("severity:<warn", { severityNumber: 0 }, false);
  check("k:500", of({ k: 500 }), true);
  check("k:500", of({ k: "500" }), true);
  check("k:500.0", of({ k: 500 }), false);
  check("k:1e+21", of({ k: 1e21 }), true);
  check("k:true", of({ k: true }), true);
  check("k:true", of({ k: "true" }), true);
  check("k:null", of({ k: null }), false);
  check('k:""', of({ k: "" }), true);
  check("k:*", of({ k: "" }), true);
  for (const k of [null, [], {}, [null], [[]]]) check("k:*", of({ k }), false);
  check("k:5*", of({ k: 512 }), true);
  check("resource.host.name:m1", {}, true);
  check("host.name:m1", {}, false);
  check("__proto__:*", of(JSON.parse('{"__proto__": 1}')), true);
  check("constructor:*", {}, false);
});

it("looks into lists and maps", () => {
  const nested = of({ a: { "b.c": [{ d: 1 }, { d: [2, [3]] }] }, "a.b": { c: { e: 4 } } });
  for (const query of ["a.b.c.d:1", "a.b.c.d:2", "a.b.c.d:3", "a.b.c.e:4", "a.b.c.d:>2"]) {
    check(query, nested, true);
  }
  for (const query of ["a:*", "a.b:*", "a.b.c:*", "b.c.d:1", "a.b.c.d:4"])
    check(query, nested, false);
  check("a.:1", of({ a: { "": 1 } }), true);
  check("attributes.:1", of({ "": 1 }), true);
});

it("compares numbers as doubles, and texts that read as such", () => {
  check("k:>9", of({ k: 10 }), true);
  check("k:>9", of({ k: "10" }), true);
  check("k:<=1e3", of({ k: "+1.0E3" }), true);
  check("k:<0", of({ k: -0 }), false);
  check("k:>=9007199254740993", of({ k: "9007199254740993" }), true);
  for (const k of [
    "ten",
    "",
    " 5",
    "0x10",
    "1_000",
    "5ms",
    true,
    "NaN",
    "Infinity",
    "9".repeat(41),
  ]) {
    check("k:>0 or k:<=0", of({ k }), false);
  }
  check("k:>5", of({ k: [1, "x", 6] }), true);
});

it("negates what a record does not have", () => {
  check("-k:v", {}, true);
  check("not k:>5", {}, true);
  check("not not order", {}, true);
  check("(order or k:v) -(card or service:x)", {}, true);
});
