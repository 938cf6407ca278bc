import { expect, test } from "vitest";
import {
  ENTRY,
  ledgerOf,
  logsOf,
  spanOf,
  summaryOf,
  TRACE,
} from "../../../test/verdict-fixture.ts";
import type { BusLag } from "../../bus/bus.ts";
import type { StoredRecord } from "../../record.ts";
import { VerdictSource, type VerdictSourceParts } from "./verdict-source.ts";

const NO_LAG: BusLag = { messages: 0, records: 0, seconds: 0 };
const EMPTY = { items: [], cursor: null, isCut: false };

type Reader = VerdictSourceParts["reader"];

function newSource(given: Partial<Reader> = {}, busLag = async () => NO_LAG) {
  const asked: unknown[] = [];
  const reader: Reader = {
    countSpanLogs: async () => ({ items: [logsOf()], isCut: false }),
    ledgers: async ({ runIds }) => {
      asked.push(runIds);
      return runIds.map((runId) => ledgerOf(runId.replace("run-of-", "")));
    },
    deadLetters: async () => EMPTY,
    services: async () => [],
    traceSpans: async (filter) => {
      asked.push(filter);
      return EMPTY;
    },
    sourcedSpans: async (filter) => {
      asked.push(filter);
      return EMPTY;
    },
    ...given,
  };
  const nowNs = () => 1_772_369_999_000_000_000n;
  return { asked, source: new VerdictSource({ reader, busLag, nowNs }) };
}

function judged(source: VerdictSource, spans: readonly StoredRecord[], isCut = false) {
  const summary = summaryOf({ spans: spans.length, logs: 1 });
  return source.judge({ summary, spans, isCut, busLag: NO_LAG });
}

test("asks for all runs that its spans name, and no more where nothing is open", async () => {
  const call = spanOf({
    ...{ id: "c", parent: "e", kind: "client", attributes: { "clew.peer.run.id": "run-of-pay" } },
  });
  const served = spanOf({
    ...{ id: "s", parent: "c", kind: "server", service: "pay" },
    attributes: { "clew.caller.run.id": "run-of-orders" },
  });
  const { asked, source } = newSource();
  expect((await judged(source, [ENTRY, call, served])).verdict).toBe("complete");
  expect(asked).toEqual([["run-of-orders", "run-of-pay"]]);
});

test("a span that is another transaction's is found in its trace", async () => {
  const child = spanOf({ id: "x", parent: "other" });
  const { asked, source } = newSource();
  expect((await judged(source, [ENTRY, child])).verdict).not.toBe("complete");
  expect(asked.at(-1)).toEqual({ traceId: TRACE, limit: 1000 });
  const other = { ...spanOf({ id: "other" }), transactionId: "another" };
  const knowing = newSource({ traceSpans: async () => ({ ...EMPTY, items: [child, other] }) });
  expect((await judged(knowing.source, [ENTRY, child])).verdict).toBe("complete");
});

test("a message that was merged into another transaction is found by its sources", async () => {
  const attributes = { "messaging.destination.name": "lines" };
  const sent = spanOf({ id: "p", parent: "e", kind: "producer", attributes });
  const { asked, source } = newSource();
  expect((await judged(source, [ENTRY, sent])).verdict).toBe("unknown");
  expect(asked.at(-1)).toEqual({ transactionId: "order-1", limit: 1000 });
  const links = [{ traceId: TRACE, spanId: "p", attributes: {} }];
  const merged = { ...spanOf({ id: "m", kind: "consumer", links }), transactionId: "another" };
  const knowing = newSource({ sourcedSpans: async () => ({ ...EMPTY, items: [merged] }) });
  expect((await judged(knowing.source, [ENTRY, sent])).verdict).toBe("complete");
});

test.each<[string, Partial<Reader>]>([
  ["log counts", { countSpanLogs: async () => ({ items: [logsOf()], isCut: true }) }],
  ["dead letters", { deadLetters: async () => ({ ...EMPTY, cursor: "more" }) }],
])("is never complete where %s are cut", async (_, given) => {
  expect((await judged(newSource(given).source, [ENTRY])).verdict).toBe("unknown");
});

test("is never complete where spans are cut, or too many runs took part", async () => {
  const { source } = newSource();
  expect((await judged(source, [ENTRY], true)).verdict).toBe("unknown");
  const spans = Array.from({ length: 1100 }, (_, i) => spanOf({ id: `x${i}`, runId: `r${i}` }));
  expect((await judged(source, [ENTRY, ...spans])).verdict).toBe("unknown");
});

test("a bus that is away, or does not answer, has no lag that anybody knows", async () => {
  expect(await newSource().source.findLag()).toEqual(NO_LAG);
  const away = async () => Promise.reject(new Error("no broker"));
  expect(await newSource({}, away).source.findLag()).toBeNull();
});
