/** What every store counts of a transaction's log records (store.contract.ts). */
import { expect, it } from "vitest";
import { SPAN_LOG_COUNTS_MAX, type SpanLogCount } from "../src/store/ledger.ts";
import type { StoreUnderTest } from "../src/store/store.contract.ts";
import { numberedLog, numberedSpan } from "./ledger-cases.ts";
import { batchOf, DAY_NS, logRecord, NOON_NS, SECOND_NS } from "./record-fixtures.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const OF = { transactionId: "t", traceId: TRACE, spanId: "1".repeat(16) };
const at = (seconds: number) => NOON_NS + BigInt(seconds) * SECOND_NS;

export function spanLogCases(current: () => StoreUnderTest): void {
  const countsOf = async (transactionId: string): Promise<readonly SpanLogCount[]> => {
    const { items, isCut } = await current().reader.countSpanLogs(transactionId);
    expect(isCut).toBe(false);
    const nameOf = (count: SpanLogCount) =>
      [count.runId, count.spanId, count.traceId, count.service].join();
    return items.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  };

  it("counts a transaction's logs by run and span, those of no run and no span too", async () => {
    const other = { ...OF, spanId: "2".repeat(16) };
    const { writer } = current();
    await writer.write(
      batchOf([
        ...[1, 2, 3].map((number) => numberedLog(number, OF)),
        numberedLog(4, { ...OF, isAfterSpan: true }),
        numberedLog(5, other),
        numberedLog(6, { transactionId: "t" }),
        numberedLog(1, { ...OF, runId: "b", service: "payments" }),
        logRecord("of no run", { ...OF, service: "old" }),
        numberedLog(7, { ...OF, transactionId: "another" }),
        numberedLog(8, { ...OF, transactionId: "" }),
        numberedSpan(1, OF),
      ]),
    );
    await writer.write(batchOf([numberedLog(9, { ...OF, receivedNs: NOON_NS + DAY_NS })]));
    const span = { traceId: TRACE, spanId: OF.spanId };
    expect(await countsOf("t")).toEqual([
      {
        ...{ runId: "", service: "old", ...span, logs: 1, lateLogs: 0 },
        ...{ firstNs: NOON_NS, lastNs: NOON_NS },
      },
      {
        ...{ runId: "a", service: "orders", traceId: "", spanId: "", logs: 1, lateLogs: 0 },
        ...{ firstNs: at(6), lastNs: at(6) },
      },
      {
        ...{ runId: "a", service: "orders", ...span, logs: 4, lateLogs: 1 },
        ...{ firstNs: at(1), lastNs: at(9) },
      },
      {
        ...{ runId: "a", service: "orders", ...span, spanId: other.spanId, logs: 1, lateLogs: 0 },
        ...{ firstNs: at(5), lastNs: at(5) },
      },
      {
        ...{ runId: "b", service: "payments", ...span, logs: 1, lateLogs: 0 },
        ...{ firstNs: at(1), lastNs: at(1) },
      },
    ]);
  });

  it("counts nothing where there is no such transaction, or no log", async () => {
    await current().writer.write(batchOf([numberedSpan(1, OF), numberedLog(1)]));
    for (const id of ["t", "nobody", ""]) expect(await countsOf(id)).toEqual([]);
  });

  it("counts a bounded number of spans, and says so", async () => {
    const { writer, reader } = current();
    const records = Array.from({ length: SPAN_LOG_COUNTS_MAX + 1 }, (_, i) => {
      const spanId = (i + 1).toString(16).padStart(16, "0");
      return numberedLog(i + 1, { ...OF, spanId });
    });
    await writer.write(batchOf(records));
    const { items, isCut } = await reader.countSpanLogs("t");
    expect(isCut).toBe(true);
    expect(items.length).toBeLessThanOrEqual(SPAN_LOG_COUNTS_MAX);
  });
}
