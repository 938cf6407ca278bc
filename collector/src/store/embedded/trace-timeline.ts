/** The spans of one trace over all days: by time, then by order of writing. */
import type { StoredRecord } from "../../record.ts";
import type { Page, TraceFilter } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { decodeRecordPlace, type RecordPlace } from "./page-cursor.ts";
import { type Deadline, pageSize } from "./record-page.ts";
import { firstSeqAfter, readTimelinePage, type TimelineRow } from "./timeline-page.ts";

const ROWS = `
  SELECT seq, time FROM (
    SELECT seq, time FROM records
      WHERE transaction_key IN (SELECT transaction_key FROM traces WHERE trace_id = ?1)
        AND trace_id = ?1 AND flags & 1 = 1 AND (time, seq) > (?2, ?3)
    UNION ALL
    SELECT seq, time FROM records
      WHERE transaction_key IS NULL AND trace_id IS NOT NULL AND flags & 1 = 1
        AND trace_id = ?1 AND (time, seq) > (?2, ?3)
  ) ORDER BY time, seq`;
const TRACE_ID = /^[0-9a-f]{32}$/;

export function readTrace(
  readers: readonly DayReader[],
  filter: TraceFilter,
  deadline: Deadline,
): Page<StoredRecord> {
  const { traceId, cursor } = filter;
  const after = cursor === undefined ? undefined : decodeRecordPlace(cursor);
  const id = Buffer.from(traceId, "hex");
  const days = TRACE_ID.test(traceId) ? readers : [];
  const sources = days.map((reader) => rowsOfDay(reader, id, after));
  return readTimelinePage(sources, { limit: pageSize(filter.limit), deadline });
}

function* rowsOfDay(
  reader: DayReader,
  traceId: Buffer,
  after: RecordPlace | undefined,
): Generator<TimelineRow> {
  const place = [after?.timeNs ?? -1n, firstSeqAfter(reader, after)] as const;
  for (const { seq, time } of reader.prepare(ROWS).iterate(traceId, ...place)) {
    yield { timeNs: time as bigint, reader, seq: Number(seq), isMatch: true };
  }
}
