/** What every store says of the status of a transaction with a deadline (store.contract.ts). */
import { expect, it } from "vitest";
import type { IncomingRecord } from "../src/record.ts";
import type { StoreUnderTest } from "../src/store/store.contract.ts";
import { batchOf, DAY_NS, logRecord, NOON_NS, SECOND_NS, spanRecord } from "./record-fixtures.ts";

/** Deadlines are passed or not by the store's own clock. */
const HOUR_NS = 3600n * SECOND_NS;
const PAST_NS = BigInt(Date.now()) * 1_000_000n - HOUR_NS;
const FUTURE_NS = PAST_NS + 2n * HOUR_NS;

const entry = spanRecord("entry", { isEntry: true });
const failedEntry = spanRecord("failed-entry", { isEntry: true, isError: true });

function deadline(deadlineNs: bigint, setNs = NOON_NS): IncomingRecord {
  const id = `deadline-${deadlineNs}-${setNs}`;
  return logRecord(id, { deadlineNs, timeNs: setNs, isTransactionEvent: true });
}

function end(transactionStatus: "completed" | "failed", timeNs = NOON_NS): IncomingRecord {
  const id = `${transactionStatus}-${timeNs}`;
  return logRecord(id, { transactionStatus, timeNs, isTransactionEvent: true });
}

interface Case {
  readonly name: string;
  readonly records: readonly IncomingRecord[];
  readonly status: string;
  readonly deadlineNs: bigint | null;
}

const CASES: readonly Case[] = [
  { name: "open", records: [deadline(FUTURE_NS)], status: "running", deadlineNs: FUTURE_NS },
  { name: "past", records: [deadline(PAST_NS)], status: "timed-out", deadlineNs: PAST_NS },
  {
    name: "answered",
    records: [entry, deadline(FUTURE_NS)],
    ...{ status: "running", deadlineNs: FUTURE_NS },
  },
  {
    name: "answered-past",
    records: [entry, deadline(PAST_NS)],
    ...{ status: "timed-out", deadlineNs: PAST_NS },
  },
  {
    name: "failed-past",
    records: [deadline(PAST_NS), failedEntry],
    ...{ status: "failed", deadlineNs: PAST_NS },
  },
  {
    name: "replaced",
    records: [deadline(PAST_NS, NOON_NS), deadline(FUTURE_NS, NOON_NS + 1n)],
    ...{ status: "running", deadlineNs: FUTURE_NS },
  },
  {
    name: "replaced-late",
    records: [deadline(PAST_NS, NOON_NS + 1n), deadline(FUTURE_NS, NOON_NS)],
    ...{ status: "timed-out", deadlineNs: PAST_NS },
  },
  {
    name: "ended",
    records: [deadline(PAST_NS), end("completed", PAST_NS - 1n)],
    ...{ status: "completed", deadlineNs: PAST_NS },
  },
  {
    name: "ended-late",
    records: [deadline(PAST_NS), end("completed", PAST_NS + 1n)],
    ...{ status: "completed", deadlineNs: PAST_NS },
  },
  {
    name: "ended-twice",
    records: [end("failed", NOON_NS + 1n), end("completed", NOON_NS)],
    ...{ status: "failed", deadlineNs: null },
  },
];

export function transactionStatusCases(current: () => StoreUnderTest): void {
  it.each(CASES)("with a deadline, in one batch or on two days: $name", async (given) => {
    const { writer, reader } = current();
    const { name, records, status, deadlineNs } = given;
    const of = (transactionId: string, days: number) =>
      records.map((record, i) => ({
        ...{ ...record, transactionId, id: `${transactionId}-${record.id}` },
        receivedNs: NOON_NS + DAY_NS * BigInt(i % days),
      }));
    await writer.write(batchOf(of(name, 1)));
    for (const record of of(`${name}-days`, 2).toReversed()) await writer.write(batchOf([record]));
    for (const transactionId of [name, `${name}-days`]) {
      const found = await reader.findTransaction(transactionId);
      expect(found).toMatchObject({ status, deadlineNs });
    }
    const listed = async (wanted: string) => {
      const page = await reader.listTransactions({ status: wanted as "running", limit: 9 });
      return page.items.map(({ transactionId }) => transactionId).toSorted();
    };
    expect(await listed(status)).toEqual([name, `${name}-days`]);
    expect(await listed(status === "running" ? "timed-out" : "running")).toEqual([]);
  });

  it("tells when the end was stated, and how many records tell of the transaction", async () => {
    const { writer, reader } = current();
    const of = { transactionId: "t" };
    const records = [
      { ...end("failed", NOON_NS + 7n), ...of },
      { ...deadline(PAST_NS), ...of },
    ];
    await writer.write(batchOf([logRecord("plain", of), ...records]));
    expect(await reader.findTransaction("t")).toMatchObject({
      ...{ statedNs: NOON_NS + 7n, events: 2, logs: 3 },
    });
    const { items } = await reader.transactionRecords({ ...of, eventsOnly: true, limit: 9 });
    expect(items.map(({ id }) => id).toSorted()).toEqual(records.map(({ id }) => id).toSorted());
  });
}
