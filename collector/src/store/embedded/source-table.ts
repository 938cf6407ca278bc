import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { IncomingRecord, StoredRecord } from "../../record.ts";
import type { Page, SourceFilter } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { decodeRecordPlace, type RecordPlace } from "./page-cursor.ts";
import { type Deadline, pageSize } from "./record-page.ts";
import { firstSeqAfter, readTimelinePage, type TimelineRow } from "./timeline-page.ts";

/** Which spans were made from messages of a transaction; few are, so that each has a row. */
export const SOURCE_TABLES = `
  CREATE TABLE sources (
    transaction_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (transaction_id, seq)
  ) STRICT, WITHOUT ROWID;
`;

const ROWS = `
  SELECT records.seq, records.time FROM sources JOIN records ON records.seq = sources.seq
  WHERE sources.transaction_id = ?1 AND (records.time, records.seq) > (?2, ?3)
  ORDER BY records.time, records.seq`;

/** Notes the sources of a day's spans; void once a write of the day has failed. */
export class SourceTable {
  private readonly insert: StatementSync;

  constructor(db: DatabaseSync) {
    this.insert = db.prepare("INSERT OR IGNORE INTO sources VALUES (?, ?)");
  }

  add({ sourceTransactionIds }: IncomingRecord, seq: number): void {
    if (sourceTransactionIds === undefined) return;
    for (const id of sourceTransactionIds) this.insert.run(id, seq);
  }
}

/** The spans of all days that name the transaction: by time, then by order of writing. */
export function readSourced(
  readers: readonly DayReader[],
  filter: SourceFilter,
  deadline: Deadline,
): Page<StoredRecord> {
  const { transactionId, cursor, limit } = filter;
  const after = cursor === undefined ? undefined : decodeRecordPlace(cursor);
  const sources = readers.map((reader) => rowsOfDay(reader, transactionId, after));
  return readTimelinePage(sources, { limit: pageSize(limit), deadline });
}

function* rowsOfDay(
  reader: DayReader,
  transactionId: string,
  after: RecordPlace | undefined,
): Generator<TimelineRow> {
  const place = [after?.timeNs ?? -1n, firstSeqAfter(reader, after)] as const;
  for (const { seq, time } of reader.prepare(ROWS).iterate(transactionId, ...place)) {
    yield { timeNs: time as bigint, reader, seq: Number(seq), isMatch: true };
  }
}
