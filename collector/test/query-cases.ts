/** What every store finds by the query language (store.contract.ts, docs/search.md). */
import { expect, it } from "vitest";
import type { IncomingRecord } from "../src/record.ts";
import type { StoreUnderTest } from "../src/store/store.contract.ts";
import { batchOf, logRecord, NOON_NS, resourceBytes, spanRecord } from "./record-fixtures.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const PAGES_MAX = 100;

/** By name; each is a nanosecond older than the one before. */
const RECORDS: { readonly [name: string]: Parameters<typeof logRecord>[1] } = {
  paid: {
    ...{ text: "order 42 paid by card", severityNumber: 9, transactionId: "T-1", traceId: TRACE },
    spanId: SPAN,
    attributes: { "user.id": 42n, "http.response.status_code": 200n, "order.total": 12.5 },
  },
  declined: {
    ...{ text: "card DECLINED for order 42", severityNumber: 14, transactionId: "T-1" },
    attributes: { user: { id: "42", roles: ["admin", "ops"] }, "http.response.status_code": 402n },
  },
  failed: {
    ...{ text: "payment failed: not found", severityNumber: 17, service: "payments" },
    eventName: "payment.failed",
    attributes: { "http.response.status_code": "500", retry: true, note: 'say "(hi)" *now*' },
    resource: resourceBytes({ "service.name": "payments", "host.name": "m1", "process.pid": 7n }),
  },
  slow: {
    ...{ text: "slow", severityNumber: 13, service: "payments" },
    attributes: {
      "http.response.status_code": [503n, 200n],
      items: [{ sku: "a-1" }, { sku: "b" }],
    },
  },
  large: {
    text: "large",
    attributes: {
      n: 9_007_199_254_740_993n,
      "http.response.status_code": -1n,
      empty: "",
      none: null,
    },
  },
  quiet: { text: "---" },
};

type Current = () => StoreUnderTest;

export function queryCases(current: Current): void {
  joins(current);
  ownFields(current);
  attributes(current);
  refusals(current);
  transactions(current);
}

function joins(current: Current): void {
  it("joins words by and, or, not and brackets", async () => {
    const check = await checker(current());
    await check("", ["paid", "declined", "failed", "slow", "large", "quiet"]);
    await check("--", []);
    await check("card and paid", ["paid"]);
    await check("paid or declined", ["paid", "declined"]);
    await check("card -paid", ["declined"]);
    await check("NOT order", ["failed", "slow", "large", "quiet"]);
    await check("(slow or large) or (card and not declined)", ["paid", "slow", "large"]);
    await check("card (paid or nothing)", ["paid"]);
    await check('"not found"', ["failed"]);
    await check("order-42* -paid", ["declined"]);
    await check("order-4*", ["paid", "declined"]);
    await check("-order-4*", ["failed", "slow", "large", "quiet"]);
    await check("message:declined or message:sl*", ["declined", "slow"]);
    await check("message:*", ["paid", "declined", "failed", "slow", "large"]);
    await check("-message:*", ["quiet"]);
  });
}

function ownFields(current: Current): void {
  it("asks for the record's own fields", async () => {
    const check = await checker(current());
    await check("service:payments", ["failed", "slow"]);
    await check("service:Payments", []);
    await check("service:pay*", ["failed", "slow"]);
    await check("-service:payments card", ["paid", "declined"]);
    await check("service:payments service:orders", []);
    await check("severity:warn", ["declined", "slow"]);
    await check("severity:>=warn", ["declined", "failed", "slow"]);
    await check("severity:<warn", ["paid"]);
    await check("severity:17 or severity:9", ["paid", "failed"]);
    await check("severity:0", ["large", "quiet"]);
    await check("-severity:*", ["large", "quiet"]);
    await check("transaction_id:T-1", ["paid", "declined"]);
    await check("transaction_id:t-1", []);
    await check("transaction_id:T-1 declined", ["declined"]);
    await check("transaction_id:* -paid", ["declined"]);
    await check(`trace_id:${TRACE.toUpperCase()}`, ["paid"]);
    await check(`trace_id:${TRACE} declined`, []);
    await check(`order span_id:${SPAN}`, ["paid"]);
    await check("trace_id:4bf9", []);
    await check("trace_id:4bf9*", ["paid"]);
  });
}

function attributes(current: Current): void {
  it("asks for attributes, in lists and nested maps as well, as texts and as numbers", async () => {
    const check = await checker(current());
    await check("user.id:42", ["paid", "declined"]);
    await check("attributes.user.id:42 -service:x", ["paid", "declined"]);
    await check("user.roles:ops", ["declined"]);
    await check("items.sku:a*", ["slow"]);
    await check("user:*", []);
    await check("retry:true", ["failed"]);
    await check('note:"say \\"(hi)\\" *now*"', ["failed"]);
    await check("event:payment.failed", ["failed"]);
    await check("http.response.status_code:*", ["paid", "declined", "failed", "slow", "large"]);
    await check("http.response.status_code:>=500", ["failed", "slow"]);
    await check("http.response.status_code:<0", ["large"]);
    await check("http.response.status_code:200", ["paid", "slow"]);
    await check("-http.response.status_code:<=402", ["failed", "quiet"]);
    await check("order.total:>12 order.total:<=12.5", ["paid"]);
    await check("n:9007199254740993", ["large"]);
    await check("n:>9e15", ["large"]);
    await check('empty:"" -none:*', ["large"]);
    await check("resource.host.name:m1", ["failed"]);
    await check("resource.process.pid:>6", ["failed"]);
    await check("-resource.process.pid:>6 service:payments", ["slow"]);
    await check("user.id:42 or slow or resource.host.name:m*", [
      "paid",
      "declined",
      "failed",
      "slow",
    ]);
  });
}

function refusals(current: Current): void {
  it("says where a text cannot be read, and takes every other for a question", async () => {
    const { reader, writer } = current();
    await writer.write(batchOf([logRecord("r", { text: "plain and simple" })]));
    const hostile = [
      "NEAR(a b)",
      "text:plain",
      "^plain",
      "plain + simple",
      "-plain",
      "'; DROP TABLE x; --",
    ];
    hostile.push(
      "a\u0000b",
      "*",
      "**",
      "{a b}:c",
      "\\",
      "%_",
      '""',
      '"*"',
      "'",
      "plain'",
      "\ud800",
    );
    hostile.push(
      "+".repeat(5000),
      `${"a ".repeat(60)}`,
      "a.*:1",
      "_id:1",
      "_source:*",
      "__proto__:1",
    );
    hostile.push(
      "constructor:x",
      "attributes.:1",
      "a..b:1",
      "attributes.\\*:1",
      `k:${"9".repeat(999)}`,
    );
    for (const query of hostile) {
      for (const text of [query, `plain ${query}`, `not (${query} or x)`]) {
        const page = await reader.searchLogs({ query: text, limit: 10, order: "newest" });
        expect(page.items.length, text).toBeLessThan(2);
      }
    }
    for (const query of ['"', 'a "b', "AND", "OR NOT", "((((", "k:>x", "severity:loud"]) {
      const invalid = { code: "STORE_QUERY_INVALID", message: expect.stringContaining("expected") };
      for (const order of ["newest", "oldest"] as const) {
        const search = reader.searchLogs({ query, limit: 1, order });
        await expect(search, query).rejects.toMatchObject(invalid);
      }
      await expect(reader.listTransactions({ query, limit: 1 })).rejects.toMatchObject(invalid);
    }
  });
}

function transactions(current: Current): void {
  it("finds the transactions of which some record matches, spans too", async () => {
    const { writer, reader } = current();
    await write(writer);
    const span = { text: "GET /pay", transactionId: "T-2", attributes: { "user.id": 43n } };
    await writer.write(batchOf([spanRecord("s", span)]));
    const check = async (query: string, want: readonly string[]) => {
      const { items } = await reader.listTransactions({ query, limit: 10 });
      expect(items.map(({ transactionId }) => transactionId).toSorted(), query).toEqual(want);
    };
    await check("user.id:>=42", ["T-1", "T-2"]);
    await check("get or paid", ["T-1", "T-2"]);
    await check("declined user.id:42", ["T-1"]);
    await check("declined order.total:>0", []);
    await check("severity:warn", ["T-1"]);
    await check("transaction_id:T-2", ["T-2"]);
    await check("-user.id:43 -card", []);
    await check("-order", ["T-2"]);
  });
}

async function write(writer: StoreUnderTest["writer"]): Promise<void> {
  const records = Object.entries(RECORDS).map(([name, given], i): IncomingRecord => {
    return logRecord(name, { ...given, timeNs: NOON_NS - BigInt(i) });
  });
  await writer.write(batchOf(records));
}

/** Checks what is found by pages, and that a tail gives the same. */
async function checker({ reader, writer }: StoreUnderTest) {
  await write(writer);
  return async (query: string, want: readonly string[]) => {
    for (const order of ["newest", "oldest"] as const) {
      const found: string[] = [];
      let cursor: string | null | undefined;
      for (let page = 0; page < PAGES_MAX && cursor !== null; page++) {
        const after = cursor === undefined ? {} : { cursor };
        const { items, ...rest } = await reader.searchLogs({ query, limit: 2, order, ...after });
        found.push(...items.map(({ id }) => id));
        cursor = order === "oldest" && items.length === 0 ? null : rest.cursor;
      }
      expect(found.toSorted(), `${order}: ${query}`).toEqual(want.toSorted());
      if (order === "newest") expect(found, query).toEqual(want);
    }
  };
}
