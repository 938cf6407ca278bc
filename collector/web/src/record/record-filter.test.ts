import { expect, test } from "vitest";
import type { StoredRecord } from "../../../src/record.ts";
import { matchesFilter, type RecordFilter, severityName, severityNumber } from "./record-filter.ts";
import { sampleLog, sampleSpan } from "./record-samples.ts";

const ALL: RecordFilter = { kind: "", service: "", minSeverity: 0, text: "" };
const declined = sampleLog({
  message: "Card declined",
  severityNumber: 17,
  isError: true,
  service: "payments",
  attributes: { "card.issuer": "ACME Bank", nested: { code: 51 } },
});
const failedSpan = sampleSpan({
  startMs: 1,
  isError: true,
  of: { status: "error", statusMessage: "No Answer" },
});

test.each<[name: string, record: StoredRecord, filter: Partial<RecordFilter>, want: boolean]>([
  ["no filter", declined, {}, true],
  ["blank text is none", declined, { text: "  " }, true],
  ["text that is a pattern elsewhere", declined, { text: "(.*" }, false],
  ["any case", declined, { text: "CARD dec" }, true],
  ["each word, anywhere", declined, { text: "declined acme" }, true],
  ["one word missing", declined, { text: "declined visa" }, false],
  ["nested attribute", declined, { text: '"code":51' }, true],
  ["span status message", failedSpan, { text: "no answer" }, true],
  ["other kind", declined, { kind: "span" }, false],
  ["other service", declined, { service: "orders" }, false],
  ["severity reached", declined, { minSeverity: 17 }, true],
  ["severity not reached", sampleLog(), { minSeverity: 13 }, false],
  ["failed span counts as an error", failedSpan, { minSeverity: 17 }, true],
  ["failed span is not fatal", failedSpan, { minSeverity: 21 }, false],
  ["span that went well is less than any", sampleSpan({ startMs: 1 }), { minSeverity: 5 }, false],
])("%s", (...[, record, filter, want]) => {
  expect(matchesFilter(record, { ...ALL, ...filter })).toBe(want);
});

test.each<[record: StoredRecord, want: string]>([
  [sampleLog({ severityText: "", severityNumber: 0 }), "–"],
  [sampleLog({ severityText: "", severityNumber: 99 }), "–"],
  [sampleLog({ severityText: "", severityNumber: 13 }), "WARN"],
  [sampleLog({ severityText: "", severityNumber: 24 }), "FATAL"],
  [sampleLog({ severityText: "notice", severityNumber: 10 }), "NOTICE"],
  [sampleSpan({ startMs: 1 }), "SPAN"],
  [failedSpan, "ERROR"],
])("severityName %#", (record, want) => expect(severityName(record)).toBe(want));

test("a severity that is not offered asks for all", () => {
  expect(severityNumber("error")).toBe(17);
  expect(severityNumber("")).toBe(0);
  expect(severityNumber("constructor")).toBe(0);
});
