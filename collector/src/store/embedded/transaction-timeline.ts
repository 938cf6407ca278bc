/** The records of one transaction over all days: by time, then by order of writing. */
import { SEVERITY_ERROR, type StoredRecord } from "../../record.ts";
import type { Page, RecordFilter } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { FLAG } from "./day-schema.ts";
import { decodeRecordPlace, type RecordPlace } from "./page-cursor.ts";
import { type Deadline, pageSize } from "./record-page.ts";
import { firstSeqAfter, readTimelinePage, type TimelineRow } from "./timeline-page.ts";

const ROWS = `
  SELECT seq, time, flags, severity, service FROM records
  WHERE transaction_key = ? AND (time, seq) > (?, ?) ORDER BY time, seq`;

export function readTimeline(
  readers: readonly DayReader[],
  filter: RecordFilter,
  deadline: Deadline,
): Page<StoredRecord> {
  const after = filter.cursor === undefined ? undefined : decodeRecordPlace(filter.cursor);
  const sources = readers.map((reader) => rowsOfDay(reader, filter, after));
  return readTimelinePage(sources, { limit: pageSize(filter.limit), deadline });
}

function* rowsOfDay(
  reader: DayReader,
  filter: RecordFilter,
  after: RecordPlace | undefined,
): Generator<TimelineRow> {
  const transaction = reader.findTransaction(filter.transactionId);
  if (transaction === undefined) return;
  const service = filter.service === undefined ? undefined : reader.findServiceKey(filter.service);
  const place = [after?.timeNs ?? -1n, firstSeqAfter(reader, after)] as const;
  for (const row of reader.prepare(ROWS).iterate(transaction.key, ...place)) {
    const flags = Number(row.flags);
    const isMatch =
      (filter.service === undefined || Number(row.service) === service) &&
      (filter.kind === undefined || (filter.kind === "span") === ((flags & FLAG.span) !== 0)) &&
      (filter.eventsOnly !== true || (flags & FLAG.transactionEvent) !== 0) &&
      isSevere({ flags, severity: Number(row.severity) }, filter.minSeverityNumber);
    yield { timeNs: row.time as bigint, reader, seq: Number(row.seq), isMatch };
  }
}

function isSevere(
  { flags, severity }: { flags: number; severity: number },
  least: number | undefined,
): boolean {
  if (least === undefined) return true;
  if ((flags & FLAG.span) === 0) return severity >= least;
  return (flags & FLAG.error) !== 0 && least <= SEVERITY_ERROR;
}
