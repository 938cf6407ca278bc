import { expect, test } from "vitest";
import type { StoredRecord } from "../record.ts";
import { describeLogLine, levelOf, oneMessage } from "./describe-log-line.ts";
import { plain } from "./terminal.ts";

const RECORD: StoredRecord = {
  id: "1",
  kind: "log",
  time: "2026-01-31T12:00:00.123456789Z",
  receivedAt: "2026-01-31T12:00:00.2Z",
  transactionId: "order-1",
  traceId: null,
  spanId: null,
  parentSpanId: null,
  service: "orders",
  severityText: "",
  severityNumber: 9,
  message: "order taken",
  body: "order taken",
  isError: false,
  attributes: {},
  resource: {},
  scope: "",
  span: null,
};
const STACK = "Error: no stock\n    at take (stock.ts:1:1)";

test("one line with time, service, level, message and transaction", () => {
  const want = "2026-01-31T12:00:00.123Z orders INFO  order taken  (order-1)";
  expect(describeLogLine(RECORD, plain)).toBe(want);
  const without = describeLogLine({ ...RECORD, transactionId: null }, plain);
  expect(without).toBe(want.replace("  (order-1)", ""));
});

test("a message of several lines is indented below, and nothing of it acts on the terminal", () => {
  const record = { ...RECORD, message: "a\n\u001b[2Jb", service: "or\u001b[31mders" };
  expect(describeLogLine(record, plain).split("\n")).toEqual([
    "2026-01-31T12:00:00.123Z or\\x1b[31mders INFO  a  (order-1)",
    "    \\x1b[2Jb",
  ]);
});

test.each<[Partial<StoredRecord>, string]>([
  [{ body: { a: 1 }, message: "" }, '{"a":1}'],
  [{ body: null, message: "" }, ""],
  [{ isError: true, attributes: { "exception.stacktrace": STACK } }, `order taken\n${STACK}`],
  [{ isError: true, attributes: { err: { stack: STACK } } }, `order taken\n${STACK}`],
  [{ isError: true, attributes: { error: { stack: STACK } } }, `order taken\n${STACK}`],
  [{ isError: true, attributes: { err: "text", error: [STACK] } }, "order taken"],
  [{ isError: true, attributes: { err: { stack: 7 } } }, "order taken"],
  [{ isError: true, message: STACK, attributes: { err: { stack: STACK } } }, STACK],
  [{ attributes: { err: { stack: STACK } } }, "order taken"],
])("the message of %j", (own, want) => {
  expect(oneMessage({ ...RECORD, ...own })).toBe(want);
});

test.each([
  [1, "", "TRACE"],
  [8, "", "DEBUG"],
  [13, "notice", "WARN"],
  [24, "", "FATAL"],
  [0, "verbose\u0007", "verbo"],
  [0, "", "-"],
  [99, "", "-"],
])("severity %i with %j is %s", (severityNumber, severityText, want) => {
  expect(levelOf({ ...RECORD, severityNumber, severityText })).toBe(want);
});
