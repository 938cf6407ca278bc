import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { DeadLetter, DeadLetterAct, DeadLetterState } from "../dead-letter.ts";
import { patternOf } from "../letter-pattern.ts";
import { addDeadLetter, addOpenDeadLetters, storableNs } from "./transaction-state.ts";
import type { TransactionTable } from "./transaction-table.ts";

/** A letter of this file, as far as a refusal or an act can change it. */
interface KnownLetter {
  readonly key: number;
  readonly transactionId: string;
  readonly refusedNs: bigint;
  readonly state: DeadLetterState;
}

/** Stands for the whole original. */
const ONLY_PIECE = { index: 0, count: 1 };

/**
 * The dead letters of one day file, for its one writer. What is told twice counts once; how many
 * are open is kept in the transactions, which must be saved with them. After a failed batch both
 * must be thrown away.
 */
export class DeadLetterTable {
  private readonly transactions: TransactionTable;
  private readonly selectAny: StatementSync;
  private readonly select: StatementSync;
  private readonly insert: StatementSync;
  private readonly update: StatementSync;
  private readonly insertRefusal: StatementSync;
  private readonly insertAct: StatementSync;
  private readonly setState: StatementSync;
  private readonly selectLastAct: StatementSync;
  private readonly selectWhole: StatementSync;
  private readonly insertOriginal: StatementSync;

  constructor(db: DatabaseSync, transactions: TransactionTable) {
    this.transactions = transactions;
    this.selectAny = db.prepare(`
      SELECT 1 FROM dead_letters WHERE id = ?1
      UNION ALL SELECT 1 FROM dead_letter_acts WHERE letter_id = ?1 LIMIT 1`);
    this.select = db.prepare(
      "SELECT key, transaction_id, refused, state FROM dead_letters WHERE id = ?",
    );
    this.select.setReadBigInts(true);
    this.insert = db.prepare(`
      INSERT INTO dead_letters (id, received, refused, transaction_id, service, run_id, sequence,
        reason, status, detail, pattern, topic, state, refusals)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 1)`);
    this.update = db.prepare(
      "UPDATE dead_letters SET refused = ?, reason = ?, status = ?, detail = ?, pattern = ? " +
        "WHERE key = ?",
    );
    this.insertRefusal = db.prepare("INSERT OR IGNORE INTO dead_letter_refusals VALUES (?, ?)");
    this.insertAct = db.prepare("INSERT OR IGNORE INTO dead_letter_acts VALUES (?, ?, ?, ?, ?, ?)");
    this.setState = db.prepare(`
      UPDATE dead_letters SET state = ?, refusals = (
        SELECT count(*) FROM dead_letter_refusals WHERE letter = dead_letters.key
      ) WHERE key = ?`);
    this.selectLastAct = db.prepare(`
      SELECT act FROM dead_letter_acts WHERE letter_id = ? AND at > ?
      ORDER BY at DESC, act DESC, actor DESC LIMIT 1`);
    this.selectWhole = db.prepare(`
      SELECT 1 FROM dead_letter_originals WHERE letter = ?
      GROUP BY refused HAVING count(*) = max(pieces)`);
    this.insertOriginal = db.prepare(
      "INSERT OR IGNORE INTO dead_letter_originals VALUES (?, ?, ?, ?, ?)",
    );
  }

  /** Whether anything of this letter lies in this file. */
  has(id: string): boolean {
    return this.selectAny.get(id) !== undefined;
  }

  add(letter: DeadLetter): void {
    const known = this.find(letter.id) ?? this.create(letter);
    this.keepOriginal(known.key, letter);
    const refusedNs = storableNs(letter.refusedNs);
    if (this.insertRefusal.run(known.key, refusedNs).changes === 0) return;
    if (refusedNs > known.refusedNs) {
      const { reason, status, detail } = letter;
      this.update.run(refusedNs, reason, status, detail, patternOf(detail), known.key);
    }
    this.settle(letter.id, known);
  }

  addAct({ letterId, atNs, act, actor, reason, edited }: DeadLetterAct): void {
    this.insertAct.run(letterId, storableNs(atNs), act, actor, reason, edited);
    const known = this.find(letterId);
    if (known !== undefined) this.settle(letterId, known);
  }

  private find(id: string): KnownLetter | undefined {
    const row = this.select.get(id);
    if (row === undefined) return undefined;
    return {
      key: Number(row.key),
      transactionId: String(row.transaction_id),
      refusedNs: row.refused as bigint,
      state: row.state as DeadLetterState,
    };
  }

  private create(letter: DeadLetter): KnownLetter {
    const { id, transactionId, service, runId, sequence, reason, status, detail, topic } = letter;
    const refusedNs = storableNs(letter.refusedNs);
    const { lastInsertRowid } = this.insert.run(
      ...[id, storableNs(letter.receivedNs), refusedNs, transactionId, service, runId, sequence],
      ...[reason, status, detail, patternOf(detail), topic],
    );
    if (transactionId !== "") {
      addDeadLetter(this.transactions.change(this.transactions.open(transactionId)), letter);
    }
    return { key: Number(lastInsertRowid), transactionId, refusedNs, state: "open" };
  }

  /** Bytes of a later refusal are kept only as long as those of the first are not whole. */
  private keepOriginal(key: number, { refusedNs, piece, original }: DeadLetter): void {
    if (this.selectWhole.get(key) !== undefined) return;
    const { index, count } = piece ?? ONLY_PIECE;
    this.insertOriginal.run(key, storableNs(refusedNs), index, count, original);
  }

  /** Brings the state up to what is known of refusals and acts now. */
  private settle(id: string, before: KnownLetter): void {
    const refusedNs = this.find(id)?.refusedNs ?? before.refusedNs;
    const act = this.selectLastAct.get(id, refusedNs)?.act;
    const state = act === undefined ? "open" : (act as DeadLetterState);
    this.setState.run(state, before.key);
    const { transactionId } = before;
    if (transactionId === "") return;
    const more = Number(state === "open") - Number(before.state === "open");
    if (more === 0) return;
    const transaction = this.transactions.open(transactionId);
    addOpenDeadLetters(this.transactions.change(transaction), more);
  }
}
