import { ATTRIBUTE, EVENT, REPORT, SEMANTIC } from "@clew/instrumentation/names";
import { expect, test } from "vitest";
import { type AnyTestValue, logsRequest } from "../../test/otlp-fixtures.ts";
import type { IncomingRecord } from "../record.ts";
import { MessageDecoder } from "./message-decoder.ts";
import { TransactionKeys } from "./transaction-keys.ts";

const RECEIVED_NS = 1_700_000_000_000_000_000n;
const RUN = "0af7651916cd43dd8448eb211c80319c";
const RESOURCE = {
  [SEMANTIC.serviceName]: "orders",
  [SEMANTIC.serviceInstanceId]: "orders-1",
  [SEMANTIC.hostName]: "m1",
  [SEMANTIC.processId]: 7,
  [ATTRIBUTE.runId]: RUN,
};
type Values = Readonly<Record<string, AnyTestValue>>;

function decode({
  said = {},
  resource = RESOURCE,
  timeNs = RECEIVED_NS - 5n,
}: {
  said?: Values;
  resource?: Values;
  timeNs?: bigint;
} = {}): IncomingRecord {
  const attributes = { [ATTRIBUTE.eventName]: EVENT.instanceReport, ...said };
  const value = logsRequest([{ resource, records: [{ timeNs, body: "run report", attributes }] }]);
  const headers = { requestId: "r", part: 0, records: 1, receivedNs: RECEIVED_NS, repeat: false };
  const message = { partition: "p", offset: 0, topic: "logs", headers, value } as const;
  const keys = new TransactionKeys(["clew.transaction.id", "order"]);
  const [record] = [...new MessageDecoder(keys).decode(message, 9)].flat();
  if (record === undefined) throw new Error("no record was decoded");
  return record;
}

test("a report is read in full, and what is no figure of a run is left out", () => {
  const figures = {
    [REPORT.logsEmitted]: 12,
    [REPORT.cpuSeconds]: 0.5,
    [REPORT.droppedTransactions]: ["t1", "t2"],
    [REPORT.breakers]: { payments: "open" },
    [REPORT.metricsAddress]: "127.0.0.1:9464",
  };
  const said = { ...figures, [REPORT.final]: true, other: "x", [ATTRIBUTE.recordUid]: "u-12" };
  expect(decode({ said }).report).toEqual({
    ...{ runId: RUN, service: "orders", instanceId: "orders-1", host: "m1", pid: 7 },
    ...{ firstSeenNs: RECEIVED_NS - 5n, lastSeenNs: RECEIVED_NS - 5n, isFinal: true },
    figures: { ...figures, [REPORT.final]: true },
  });
});

test("a report belongs to no transaction, whatever was going on when it was made", () => {
  const said = { [ATTRIBUTE.transactionId]: "order-1", order: "order-2" };
  expect(decode({ said }).transactionId).toBe("");
  expect(decode({ said, resource: { ...RESOURCE, [ATTRIBUTE.runId]: "" } }).transactionId).toBe(
    "order-1",
  );
});

test("a clock that is ahead does not keep a run alive", () => {
  const { report, timeNs } = decode({ timeNs: RECEIVED_NS + 10n ** 12n });
  expect(report?.lastSeenNs).toBe(RECEIVED_NS);
  expect(timeNs).toBe(RECEIVED_NS + 10n ** 12n);
});

test.each<[string, Values]>([
  ["no run", { ...RESOURCE, [ATTRIBUTE.runId]: null }],
  ["a run with blanks", { ...RESOURCE, [ATTRIBUTE.runId]: "a b" }],
  ["a run too long", { ...RESOURCE, [ATTRIBUTE.runId]: "a".repeat(65) }],
  ["a number for a run", { ...RESOURCE, [ATTRIBUTE.runId]: 7 }],
  ["nothing at all", {}],
])("with %s it is a log record like any other", (_, resource) => {
  expect(decode({ resource }).report).toBeNull();
});

test("the rest may be missing or of another kind", () => {
  const { report } = decode({
    resource: { [ATTRIBUTE.runId]: RUN, [SEMANTIC.processId]: "seven" },
  });
  const unknown = { service: "unknown_service", instanceId: RUN, host: "", pid: null };
  expect(report).toMatchObject({ ...unknown, isFinal: false, figures: {} });
});

test("what is kept of a report is bounded, and says so", () => {
  const lists = Array.from({ length: 3000 }, (_, i) => `${i}-${"x".repeat(60)}`);
  const said = { [REPORT.droppedTransactions]: lists, [REPORT.logsEmitted]: 7 };
  expect(decode({ said }).report?.figures).toEqual({
    ...{ [REPORT.logsEmitted]: 7, [REPORT.droppedTransactionsCut]: true },
  });
  const hostile = { ...said, [REPORT.health]: { db: "x".repeat(200_000) } };
  expect(decode({ said: hostile }).report?.figures).toEqual({});
});
