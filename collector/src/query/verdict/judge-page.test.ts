import { expect, test } from "vitest";
import { ENTRY, ledgerOf, logsOf, summaryOf } from "../../../test/verdict-fixture.ts";
import type { StoredRecord } from "../../record.ts";
import { judgePage, LIST_SPANS_MAX, type PageJudging } from "./judge-page.ts";
import { VerdictSource, type VerdictSourceParts } from "./verdict-source.ts";

const NO_LAG = { messages: 0, records: 0, seconds: 0 };
const EMPTY = { items: [], cursor: null, isCut: false };

function judgingOf(given: Partial<PageJudging> & { spans?: readonly StoredRecord[] } = {}) {
  const { spans = [ENTRY], ...rest } = given;
  const reader: VerdictSourceParts["reader"] & PageJudging["reader"] = {
    transactionRecords: async () => ({ ...EMPTY, items: spans }),
    countSpanLogs: async () => ({ items: [logsOf()], isCut: false }),
    ledgers: async () => [ledgerOf("orders")],
    deadLetters: async () => EMPTY,
    services: async () => [],
    traceSpans: async () => EMPTY,
    sourcedSpans: async () => EMPTY,
  };
  const nowNs = () => 1_772_369_999_000_000_000n;
  const verdicts = new VerdictSource({ reader, busLag: async () => NO_LAG, nowNs });
  const signal = new AbortController().signal;
  return { reader, verdicts, busLag: NO_LAG, signal, ...rest };
}

test("each transaction of a page, in its order", async () => {
  const whole = summaryOf({ spans: 1, logs: 1 });
  const more = summaryOf({ spans: 2, logs: 1 });
  const huge = summaryOf({ spans: LIST_SPANS_MAX + 1 });
  const judged = await judgePage([whole, more, huge, whole], judgingOf());
  expect(judged.map((it) => it?.verdict)).toEqual(["complete", "unknown", "unknown", "complete"]);
  expect(judged[2]?.reason).toContain("open it to see");
});

test("what the time was over for is not judged, and nothing is guessed of it", async () => {
  const judging = judgingOf({ signal: AbortSignal.abort() });
  expect(await judgePage([summaryOf(), summaryOf()], judging)).toEqual([undefined, undefined]);
});
