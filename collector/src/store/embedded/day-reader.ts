import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ClewError } from "../../errors.ts";
import type { Attributes, RunReport } from "../../record.ts";
import { dayPath, listDays } from "./day-files.ts";
import { FLAG, openDayForReading } from "./day-schema.ts";
import { parseRunReport } from "./run-report-row.ts";
import { isCorruption } from "./sqlite-errors.ts";
import { type RecordRow, readResource, readScopeName } from "./stored-record.ts";
import { TRANSACTION_COLUMNS, toTransactionState } from "./transaction-row.ts";
import type { TransactionState } from "./transaction-state.ts";

const CACHED_MAX = 512;
const RECORD = `
  SELECT records.*, transactions.id AS transaction_id FROM records
  LEFT JOIN transactions ON transactions.key = records.transaction_key WHERE seq = ?`;

/** One day file, open for reading. Integers come as bigint. */
export class DayReader {
  readonly day: string;
  private readonly db: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();
  private readonly serviceNames = new Map<number, string>();
  private readonly resources = new Map<number, Attributes>();
  private readonly scopes = new Map<number, string>();

  constructor(day: string, db: DatabaseSync) {
    this.day = day;
    this.db = db;
  }

  /** Each SQL text is prepared once; it comes from a fixed set. */
  prepare(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      statement.setReadBigInts(true);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  serviceName(key: number): string {
    return this.cached(this.serviceNames, key, () => {
      return String(this.prepare("SELECT name FROM services WHERE key = ?").get(key)?.name);
    });
  }

  /** Undefined where no record of this day names that service. */
  findServiceKey(name: string): number | undefined {
    const key = this.prepare("SELECT key FROM services WHERE name = ?").get(name)?.key;
    return key === undefined ? undefined : Number(key);
  }

  findTransaction(id: string): { key: number; state: TransactionState } | undefined {
    const row = this.prepare(`SELECT ${TRANSACTION_COLUMNS} FROM transactions WHERE id = ?`).get(
      id,
    );
    if (row === undefined) return undefined;
    const state = toTransactionState(row, (key) => this.serviceName(key));
    return { key: Number(row.key), state };
  }

  transactionId(key: number): string {
    return String(this.prepare("SELECT id FROM transactions WHERE key = ?").get(key)?.id ?? "");
  }

  findRun(runId: string): RunReport | undefined {
    const report = this.prepare("SELECT report FROM runs WHERE run_id = ?").get(runId)?.report;
    return report === undefined ? undefined : parseRunReport(String(report));
  }

  record(seq: number): RecordRow {
    const row = this.prepare(RECORD).get(seq);
    if (row === undefined) {
      throw new ClewError(
        "STORE_UNAVAILABLE",
        `cannot read record ${seq} of ${this.day}: it is gone`,
      );
    }
    const flags = Number(row.flags);
    const scope = Number(row.scope);
    return {
      id: String(row.id),
      kind: (flags & FLAG.span) === 0 ? "log" : "span",
      timeNs: row.time as bigint,
      receivedNs: row.received as bigint,
      durationNs: row.duration as bigint,
      transactionId: String(row.transaction_id ?? ""),
      traceId: toHex(row.trace_id),
      spanId: toHex(row.span_id),
      parentSpanId: toHex(row.parent_span_id),
      service: this.serviceName(Number(row.service)),
      severityNumber: Number(row.severity),
      isError: (flags & FLAG.error) !== 0,
      resource: this.resource(Number(row.resource)),
      scope: this.cached(this.scopes, scope, () => readScopeName(this.content("scopes", scope))),
      payload: row.payload as Uint8Array,
    };
  }

  resource(key: number): Attributes {
    const read = () => readResource(this.content("resources", key));
    return this.cached(this.resources, key, read);
  }

  close(): void {
    if (this.db.isOpen) this.db.close();
  }

  private content(table: "resources" | "scopes", key: number): Uint8Array {
    const content = this.prepare(`SELECT content FROM ${table} WHERE key = ?`).get(key)?.content;
    return content instanceof Uint8Array ? content : new Uint8Array();
  }

  private cached<T>(cache: Map<number, T>, key: number, read: () => T): T {
    const known = cache.get(key);
    if (known !== undefined) return known;
    if (cache.size >= CACHED_MAX) cache.clear();
    const value = read();
    cache.set(key, value);
    return value;
  }
}

/** The days of a folder, kept open between queries for as long as their files are there. */
export class DayReaders {
  private readonly dir: string;
  private readonly open = new Map<string, { inode: number; reader: DayReader }>();

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Oldest first. Lets go of files that were deleted, or replaced by one of the same name. */
  current(): DayReader[] {
    const days = listDays(this.dir);
    const inodes = new Map(days.map((day) => [day, this.findInode(day)]));
    for (const [day, { inode, reader }] of this.open) {
      if (inodes.get(day) === inode) continue;
      reader.close();
      this.open.delete(day);
    }
    return days.flatMap((day) => this.open.get(day)?.reader ?? this.openDay(day, inodes.get(day)));
  }

  close(): void {
    for (const { reader } of this.open.values()) reader.close();
    this.open.clear();
  }

  private openDay(day: string, inode: number | undefined): DayReader[] {
    if (inode === undefined) return [];
    const path = dayPath(this.dir, day);
    try {
      const db = openDayForReading(path);
      if (db === undefined) return [];
      const reader = new DayReader(day, db);
      this.open.set(day, { inode, reader });
      return [reader];
    } catch (thrown) {
      // Deleted between the listing and now: its days are over.
      if (this.findInode(day) !== inode) return [];
      if (!isCorruption(thrown)) throw thrown;
      const why = "the file is damaged; the collector sets it aside when it starts";
      throw new ClewError("STORE_UNAVAILABLE", `cannot read ${path}: ${why}`, { cause: thrown });
    }
  }

  private findInode(day: string): number | undefined {
    return statSync(dayPath(this.dir, day), { throwIfNoEntry: false })?.ino;
  }
}

function toHex(bytes: unknown): string {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString("hex") : "";
}
