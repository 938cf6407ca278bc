import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ServiceNames } from "./intern-table.ts";
import { TRANSACTION_COLUMNS, toTransactionState, toTransactionValues } from "./transaction-row.ts";
import { emptyTransaction, type TransactionState } from "./transaction-state.ts";

/** Transactions live for many batches; this many stay in memory between them (about 10 MB). */
const CACHED_MAX = 16_384;

export interface OpenTransaction {
  readonly key: number;
  readonly id: string;
  readonly state: TransactionState;
  isChanged: boolean;
}

/**
 * The transactions of one day file, for its one writer. Rows are read at first touch, added up in
 * memory and written once per batch by `save`. After a failed batch it must be thrown away.
 */
export class TransactionTable {
  private readonly cache = new Map<string, OpenTransaction>();
  private readonly changed: OpenTransaction[] = [];
  private readonly services: ServiceNames;
  private readonly selectRow: StatementSync;
  private readonly selectService: StatementSync;
  private readonly upsert: StatementSync;
  private nextKey: number;

  constructor(db: DatabaseSync, services: ServiceNames) {
    this.services = services;
    this.selectRow = db.prepare(`SELECT ${TRANSACTION_COLUMNS} FROM transactions WHERE id = ?`);
    this.selectRow.setReadBigInts(true);
    this.selectService = db.prepare("SELECT name FROM services WHERE key = ?");
    const names = TRANSACTION_COLUMNS.split(", ");
    const updates = names.slice(2).map((name) => `${name} = excluded.${name}`);
    this.upsert = db.prepare(
      `INSERT INTO transactions (${TRANSACTION_COLUMNS}) VALUES (${names.map(() => "?").join()})
       ON CONFLICT (key) DO UPDATE SET ${updates.join()}`,
    );
    const last = db.prepare("SELECT max(key) AS key FROM transactions").get()?.key;
    this.nextKey = Number(last ?? 0) + 1;
  }

  open(id: string): OpenTransaction {
    const cached = this.cache.get(id);
    if (cached !== undefined) return cached;
    const transaction = this.load(id);
    this.cache.set(id, transaction);
    return transaction;
  }

  /** Says that the state was added to, so that `save` writes it. */
  change(transaction: OpenTransaction): TransactionState {
    if (!transaction.isChanged) this.changed.push(transaction);
    transaction.isChanged = true;
    return transaction.state;
  }

  /** Writes what changed since the last time, within the batch's own database transaction. */
  save(): void {
    const serviceKey = (name: string) => this.services.keyOf(name);
    for (const transaction of this.changed) {
      const values = toTransactionValues(transaction.state, serviceKey);
      this.upsert.run(transaction.key, transaction.id, ...values);
      transaction.isChanged = false;
    }
    this.changed.length = 0;
    this.forgetOldest();
  }

  private load(id: string): OpenTransaction {
    const row = this.selectRow.get(id);
    if (row === undefined) {
      return { key: this.nextKey++, id, state: emptyTransaction(), isChanged: false };
    }
    const serviceName = (key: number) => String(this.selectService.get(key)?.name);
    const state = toTransactionState(row, serviceName);
    return { key: Number(row.key), id, state, isChanged: false };
  }

  private forgetOldest(): void {
    for (const id of this.cache.keys()) {
      if (this.cache.size <= CACHED_MAX) return;
      this.cache.delete(id);
    }
  }
}
