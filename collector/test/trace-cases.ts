/** What a store promises of traces, for store.contract.ts. */
import { describe, expect, it } from "vitest";
import type { StoreReader, StoreWriter } from "../src/store/store.ts";
import { batchOf, DAY_NS, logRecord, NOON_NS, SECOND_NS, spanRecord } from "./record-fixtures.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER = "0af7651916cd43dd8448eb211c80319c";

type Current = () => { readonly writer: StoreWriter; readonly reader: StoreReader };

/** Cases of `traceSpans`, and of searching for spans. */
export function traceCases(current: Current): void {
  describe("traceSpans", () => tracesBySpans(current));
  describe("searchLogs for spans", () => spanSearches(current));
}

function span(id: string, given: Parameters<typeof spanRecord>[1]) {
  return spanRecord(id, { traceId: TRACE, spanId: id.padStart(16, "0"), ...given });
}

function tracesBySpans(current: Current): void {
  const idsOf = async (traceId: string, limit = 100) => {
    const ids: string[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < 100; pages++) {
      const page: Awaited<ReturnType<StoreReader["traceSpans"]>> =
        await current().reader.traceSpans({
          traceId,
          limit,
          ...(cursor === null ? {} : { cursor }),
        });
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.cursor;
      if (cursor === null) return ids;
    }
    return ids;
  };

  it("gives a trace's spans oldest first, over transactions, days and pages", async () => {
    const at = (seconds: bigint) => NOON_NS + seconds * SECOND_NS;
    const nextDay = { receivedNs: NOON_NS + DAY_NS };
    await current().writer.write(
      batchOf([
        span("1", { timeNs: at(5n), transactionId: "a" }),
        span("2", { timeNs: at(1n), transactionId: "b", ...nextDay }),
        span("3", { timeNs: at(3n) }),
        span("4", { timeNs: at(9n), ...nextDay }),
        span("5", { timeNs: at(4n), transactionId: "a", traceId: OTHER }),
        logRecord("6", { timeNs: at(4n), transactionId: "a", traceId: TRACE }),
      ]),
    );
    expect(await idsOf(TRACE)).toEqual(["2", "3", "1", "4"]);
    expect(await idsOf(TRACE, 1)).toEqual(["2", "3", "1", "4"]);
    expect(await idsOf(OTHER)).toEqual(["5"]);
  });

  it("gives nothing for a trace that is not there, or no trace id at all", async () => {
    await current().writer.write(batchOf([span("1", {})]));
    for (const traceId of [OTHER, "", "x", TRACE.toUpperCase(), "0".repeat(32)]) {
      expect(await idsOf(traceId)).toEqual([]);
    }
  });
}

function spanSearches(current: Current): void {
  it("finds spans and no logs, newest first, and filters them", async () => {
    await current().writer.write(
      batchOf([
        span("1", { timeNs: NOON_NS, text: "POST /orders", service: "orders" }),
        span("2", { timeNs: NOON_NS + 1n, text: "charge card", service: "payments" }),
        span("3", { timeNs: NOON_NS + 2n, text: "GET /orders", attributes: { tier: "gold" } }),
        logRecord("4", { timeNs: NOON_NS + 3n, text: "orders" }),
      ]),
    );
    const search = async (filter: object) => {
      const asked = { kind: "span", order: "newest", limit: 10, ...filter } as const;
      return (await current().reader.searchLogs(asked)).items.map(({ id }) => id);
    };
    expect(await search({})).toEqual(["3", "2", "1"]);
    expect(await search({ query: "orders" })).toEqual(["3", "1"]);
    expect(await search({ service: "payments" })).toEqual(["2"]);
    expect(await search({ fromNs: NOON_NS + 1n, toNs: NOON_NS + 2n })).toEqual(["2"]);
    expect(await search({ query: 'attributes.tier:"gold"' })).toEqual(["3"]);
    const logs = await current().reader.searchLogs({ order: "newest", limit: 10 });
    expect(logs.items.map(({ id }) => id)).toEqual(["4"]);
  });
}
