import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Position } from "../../bus/bus.ts";
import type { IncomingRecord } from "../../record.ts";
import type { DeadLetter, DeadLetterAct } from "../dead-letter.ts";
import {
  FLAG,
  IDLE_CACHE_KIB,
  openDayForWriting,
  WRITER_CACHE_KIB,
  ZONE_RECORDS,
} from "./day-schema.ts";
import { DeadLetterTable } from "./dead-letter-table.ts";
import { IdBytes } from "./id-bytes.ts";
import { InternTable, ServiceNames } from "./intern-table.ts";
import { type Inheritance, LedgerExpiry } from "./ledger-expiry.ts";
import { LedgerTable } from "./ledger-table.ts";
import { RunTable } from "./run-table.ts";
import { ServiceRollup } from "./service-rollup.ts";
import { SourceTable } from "./source-table.ts";
import { TraceTable } from "./trace-table.ts";
import { addRecord, storableNs } from "./transaction-state.ts";
import { type OpenTransaction, TransactionTable } from "./transaction-table.ts";

const NO_ID = null;

/** What of a batch belongs to one day. */
export interface DayPart extends Inheritance {
  readonly records: readonly IncomingRecord[];
  readonly deadLetters: readonly DeadLetter[];
  readonly deadLetterActs: readonly DeadLetterAct[];
  readonly positions: readonly Position[];
}

interface Zone {
  readonly zone: number;
  minNs: bigint;
  maxNs: bigint;
  maxSeverity: number;
}

/**
 * One open day file and its only writer. After `write` threw, what is kept in memory no longer
 * agrees with the file: `close` it and open it again.
 */
export class DayWriter {
  private readonly db: DatabaseSync;
  private readonly services: ServiceNames;
  private readonly resources: InternTable;
  private readonly scopes: InternTable;
  private readonly transactions: TransactionTable;
  private readonly letters: DeadLetterTable;
  private readonly rollup: ServiceRollup;
  private readonly runs: RunTable;
  private readonly traces: TraceTable;
  private readonly sources: SourceTable;
  private readonly ledger: LedgerTable;
  private readonly insertRecord: StatementSync;
  private readonly insertWords: StatementSync;
  private readonly selectId: StatementSync;
  private readonly upsertZone: StatementSync;
  private readonly upsertPosition: StatementSync;
  private readonly traceId = new IdBytes(16);
  private readonly spanId = new IdBytes(8);
  private readonly parentSpanId = new IdBytes(8);
  private nextSeq: number;
  private isIdle = true;
  readonly expiry: LedgerExpiry;
  /** As they were when the file was opened. */
  readonly positions: readonly Position[];

  /** @throws ClewError STORE_VERSION_UNKNOWN, or what SQLite throws. */
  constructor(path: string) {
    const db = openDayForWriting(path);
    this.db = db;
    try {
      this.services = new ServiceNames(db);
      this.resources = new InternTable(db, "resources");
      this.scopes = new InternTable(db, "scopes");
      this.transactions = new TransactionTable(db, this.services);
      this.letters = new DeadLetterTable(db, this.transactions);
      this.rollup = new ServiceRollup(db, this.services);
      this.runs = new RunTable(db);
      this.traces = new TraceTable(db);
      this.sources = new SourceTable(db);
      this.ledger = new LedgerTable(db);
      this.expiry = new LedgerExpiry(db);
      this.insertRecord = db.prepare(
        "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      );
      this.insertWords = db.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)");
      this.selectId = db.prepare("SELECT 1 FROM records WHERE id = ?");
      this.upsertZone = db.prepare(`
        INSERT INTO zones VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
          min_time = min(min_time, excluded.min_time), max_time = max(max_time, excluded.max_time),
          max_severity = max(max_severity, excluded.max_severity)`);
      this.upsertPosition = db.prepare(
        "INSERT OR REPLACE INTO positions (partition, next_offset) VALUES (?, ?)",
      );
      const last = db.prepare("SELECT max(seq) AS seq FROM records").get()?.seq;
      this.nextSeq = Number(last ?? 0) + 1;
      this.positions = readPositions(db);
    } catch (thrown) {
      db.close();
      throw thrown;
    }
  }

  has(id: string): boolean {
    return this.selectId.get(id) !== undefined;
  }

  hasDeadLetter(id: string): boolean {
    return this.letters.has(id);
  }

  /** Writes all of the part, or nothing; answers how many records were not there before. */
  write(part: DayPart): number {
    this.db.exec("BEGIN IMMEDIATE");
    try {
      const created = this.insertRecords(part.records);
      for (const letter of part.deadLetters) this.letters.add(letter);
      for (const act of part.deadLetterActs) this.letters.addAct(act);
      for (const letter of part.deadLetters) this.ledger.addDeadLetter(letter);
      this.transactions.save();
      this.rollup.save();
      this.runs.save();
      this.ledger.save();
      this.expiry.keep(part);
      for (const { partition, offset } of part.positions)
        this.upsertPosition.run(partition, offset);
      this.db.exec("COMMIT");
      return created;
    } catch (thrown) {
      // SQLite itself has already rolled back after some errors.
      if (this.db.isTransaction) this.db.exec("ROLLBACK");
      throw thrown;
    } finally {
      this.resources.endBatch();
      this.scopes.endBatch();
    }
  }

  /** Gives most of its memory back until it is wanted again. */
  setIdle(isIdle: boolean): void {
    if (isIdle === this.isIdle) return;
    this.isIdle = isIdle;
    this.db.exec(`PRAGMA cache_size = -${isIdle ? IDLE_CACHE_KIB : WRITER_CACHE_KIB}`);
    if (isIdle) this.db.exec("PRAGMA shrink_memory");
  }

  close(): void {
    if (this.db.isOpen) this.db.close();
  }

  private insertRecords(records: readonly IncomingRecord[]): number {
    const firstSeq = this.nextSeq;
    let zone: Zone | undefined;
    for (const record of records) {
      const seq = this.nextSeq;
      const transaction =
        record.transactionId === "" ? NO_ID : this.transactions.open(record.transactionId);
      if (!this.insert(seq, record, transaction)) continue;
      this.nextSeq++;
      this.insertWords.run(seq, record.text);
      if (transaction !== NO_ID) this.addTo(transaction, record);
      this.rollup.add(record);
      if (record.report !== null) this.runs.add(record.report);
      this.ledger.add(record);
      this.sources.add(record, seq);
      zone = this.addToZone(zone, Math.floor(seq / ZONE_RECORDS), record);
    }
    if (zone !== undefined) this.saveZone(zone);
    return this.nextSeq - firstSeq;
  }

  private addTo(transaction: OpenTransaction, record: IncomingRecord): void {
    addRecord(this.transactions.change(transaction), record);
    this.traces.add(record, transaction.key);
  }

  private insert(
    seq: number,
    record: IncomingRecord,
    transaction: OpenTransaction | null,
  ): boolean {
    const { changes } = this.insertRecord.run(
      seq,
      record.id,
      transaction === NO_ID ? null : transaction.key,
      storableNs(record.timeNs),
      record.receivedNs,
      flagsOf(record),
      record.severityNumber,
      this.services.keyOf(record.service),
      this.resources.keyOf(record.resource, record.resourceSchemaUrl),
      this.scopes.keyOf(record.scope, record.scopeSchemaUrl),
      storableNs(record.durationNs),
      this.traceId.of(record.traceId),
      this.spanId.of(record.spanId),
      this.parentSpanId.of(record.parentSpanId),
      record.payload,
    );
    return changes !== 0;
  }

  private addToZone(current: Zone | undefined, number: number, record: IncomingRecord): Zone {
    const timeNs = storableNs(record.timeNs);
    const severity = record.severityNumber;
    if (current === undefined || current.zone !== number) {
      if (current !== undefined) this.saveZone(current);
      return { zone: number, minNs: timeNs, maxNs: timeNs, maxSeverity: severity };
    }
    if (timeNs < current.minNs) current.minNs = timeNs;
    if (timeNs > current.maxNs) current.maxNs = timeNs;
    if (severity > current.maxSeverity) current.maxSeverity = severity;
    return current;
  }

  private saveZone({ zone, minNs, maxNs, maxSeverity }: Zone): void {
    this.upsertZone.run(zone, minNs, maxNs, maxSeverity);
  }
}

function readPositions(db: DatabaseSync): Position[] {
  const rows = db.prepare("SELECT partition, next_offset FROM positions").all();
  return rows.map(({ partition, next_offset }) => ({
    partition: String(partition),
    offset: Number(next_offset),
  }));
}

function flagsOf(record: IncomingRecord): number {
  return (
    (record.kind === "span" ? FLAG.span : 0) |
    (record.isError ? FLAG.error : 0) |
    (record.isEntry ? FLAG.entry : 0) |
    (record.isTransactionEvent ? FLAG.transactionEvent : 0) |
    (record.report !== null ? FLAG.report : 0) |
    (record.isAfterSpan ? FLAG.afterSpan : 0)
  );
}
