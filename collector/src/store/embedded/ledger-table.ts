import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { IncomingRecord } from "../../record.ts";
import type { DeadLetter } from "../dead-letter.ts";
import type { NumberRange } from "../signal-ledger.ts";
import { NUMBERS, NUMBERS_LISTS } from "./ledger-schema.ts";
import { NumberRanges } from "./number-ranges.ts";
import { storableNs } from "./transaction-state.ts";

/** Runs at work whose row and last ranges are known without a look into the file (about 2 MB). */
const RUNS_KNOWN_MAX = 4096;

/** A run that records of the batch are of. */
class RunInBatch {
  readonly service: string;
  readonly lists: (NumberRanges | undefined)[] = new Array(NUMBERS_LISTS).fill(undefined);
  firstNs: bigint;
  lastNs: bigint;

  constructor(service: string, seenNs: bigint) {
    this.service = service;
    this.firstNs = seenNs;
    this.lastNs = seenNs;
  }

  see(seenNs: bigint): void {
    if (seenNs < this.firstNs) this.firstNs = seenNs;
    if (seenNs > this.lastNs) this.lastNs = seenNs;
  }

  add(list: number, number: number, numberedNs: bigint): void {
    let ranges = this.lists[list];
    if (ranges === undefined) {
      ranges = new NumberRanges();
      this.lists[list] = ranges;
    }
    ranges.add(number, numberedNs);
  }
}

/** A run as the file has it: its key, and of each list the range with the highest numbers. */
interface KnownRun {
  readonly key: number;
  readonly tails: (Tail | undefined)[];
}

interface Tail {
  readonly first: number;
  readonly last: number;
}

const NO_TAIL: Tail = { first: -1, last: -1 };

/**
 * The numbers that are stored on one day of each run, for its file's one writer. A batch is added
 * up in memory, and then each run's ranges are united with those in the file, so that the same
 * numbers may come twice and in any order. After a failed batch it must be thrown away.
 */
export class LedgerTable {
  private batch = new Map<string, RunInBatch>();
  private readonly known = new Map<string, KnownRun>();
  private lastRunId = "";
  private lastRun: RunInBatch | undefined;
  private readonly upsertRun: StatementSync;
  private readonly selectTail: StatementSync;
  private readonly selectTouched: StatementSync;
  private readonly extend: StatementSync;
  private readonly insert: StatementSync;
  private readonly remove: StatementSync;

  constructor(db: DatabaseSync) {
    this.upsertRun = db.prepare(`
      INSERT INTO run_seen (run_id, service, first_seen, last_seen) VALUES (?, ?, ?, ?)
      ON CONFLICT (run_id) DO UPDATE SET first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen)
      RETURNING key`);
    this.selectTail = db.prepare(`
      SELECT first, last FROM run_numbers WHERE run = ? AND list = ?
      ORDER BY first DESC LIMIT 1`);
    this.selectTouched = db.prepare(`
      SELECT first, last, first_time, last_time FROM run_numbers
      WHERE run = ?1 AND list = ?2 AND first <= ?4 + 1 AND first >= coalesce((
        SELECT max(first) FROM run_numbers WHERE run = ?1 AND list = ?2 AND first <= ?3), 0)
      ORDER BY first`);
    this.selectTouched.setReadBigInts(true);
    this.extend = db.prepare(`
      UPDATE run_numbers SET last = ?, last_time = ? WHERE run = ? AND list = ? AND first = ?`);
    this.insert = db.prepare("INSERT INTO run_numbers VALUES (?, ?, ?, ?, ?, ?)");
    this.remove = db.prepare("DELETE FROM run_numbers WHERE run = ? AND list = ? AND first = ?");
  }

  add(record: IncomingRecord): void {
    if (record.runId === "") return;
    const numberedNs = storableNs(record.numberedNs);
    const run = this.open(record.runId, record.service, numberedNs);
    if (record.sequence === 0) return;
    run.add(record.kind === "log" ? NUMBERS.logs : NUMBERS.spans, record.sequence, numberedNs);
  }

  addDeadLetter(letter: DeadLetter): void {
    if (letter.runId === "" || letter.sequence === 0) return;
    const receivedNs = storableNs(letter.receivedNs);
    const run = this.open(letter.runId, letter.service, receivedNs);
    const list = letter.topic === "traces" ? NUMBERS.deadSpans : NUMBERS.deadLogs;
    run.add(list, letter.sequence, receivedNs);
  }

  /** Writes what was added since the last time, within the batch's own database transaction. */
  save(): void {
    for (const [runId, run] of this.batch) {
      const known = this.saveRun(runId, run);
      for (const [list, ranges] of run.lists.entries()) {
        for (const range of ranges?.take() ?? []) this.unite(known, list, range);
      }
    }
    this.batch.clear();
    this.lastRunId = "";
    this.lastRun = undefined;
  }

  /** Records of one run mostly come one after the other. */
  private open(runId: string, service: string, seenNs: bigint): RunInBatch {
    let run = runId === this.lastRunId ? this.lastRun : this.batch.get(runId);
    if (run === undefined) {
      run = new RunInBatch(service, seenNs);
      this.batch.set(runId, run);
    } else {
      run.see(seenNs);
    }
    this.lastRunId = runId;
    this.lastRun = run;
    return run;
  }

  private saveRun(runId: string, run: RunInBatch): KnownRun {
    const { service, firstNs, lastNs } = run;
    const key = Number(this.upsertRun.get(runId, service, firstNs, lastNs)?.key);
    const known = this.known.get(runId) ?? { key, tails: new Array(NUMBERS_LISTS).fill(undefined) };
    if (this.known.size >= RUNS_KNOWN_MAX && !this.known.has(runId)) this.known.clear();
    this.known.set(runId, known);
    return known;
  }

  private unite(run: KnownRun, list: number, range: NumberRange): void {
    const tail = run.tails[list] ?? this.readTail(run.key, list);
    if (range.first > tail.last + 1) {
      this.write(run.key, list, range);
      run.tails[list] = range;
    } else if (range.first === tail.last + 1) {
      this.extend.run(range.last, range.lastNs, run.key, list, tail.first);
      run.tails[list] = { first: tail.first, last: range.last };
    } else {
      run.tails[list] = undefined;
      this.uniteWithin(run.key, list, range);
    }
  }

  /** A range that does not come last: with all that it touches it becomes one. */
  private uniteWithin(key: number, list: number, range: NumberRange): void {
    let united = range;
    const { first, last } = range;
    for (const row of this.selectTouched.all(key, list, first, last)) {
      const other = toRange(row);
      if (other.last < first - 1) continue;
      if (other.first <= first && other.last >= last) return;
      this.remove.run(key, list, other.first);
      if (other.first < united.first) {
        united = { ...united, first: other.first, firstNs: other.firstNs };
      }
      if (other.last > united.last) united = { ...united, last: other.last, lastNs: other.lastNs };
    }
    this.write(key, list, united);
  }

  private write(key: number, list: number, { first, last, firstNs, lastNs }: NumberRange): void {
    this.insert.run(key, list, first, last, firstNs, lastNs);
  }

  private readTail(key: number, list: number): Tail {
    const row = this.selectTail.get(key, list);
    return row === undefined ? NO_TAIL : { first: Number(row.first), last: Number(row.last) };
  }
}

/** A row of `run_numbers`, read with big integers. */
export function toRange(row: Record<string, unknown>): NumberRange {
  return {
    first: Number(row.first),
    last: Number(row.last),
    firstNs: row.first_time as bigint,
    lastNs: row.last_time as bigint,
  };
}
