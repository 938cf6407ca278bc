/** The records of one transaction over all days: by time, then by order of writing. */
import { SEVERITY_ERROR, type StoredRecord } from "../../record.ts";
import type { Page, RecordFilter } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { FLAG } from "./day-schema.ts";
import { decodeRecordPlace, encodeRecordPlace, type RecordPlace } from "./page-cursor.ts";
import { type Deadline, type Hit, MAX_SEQ, pageSize, readRecords } from "./record-page.ts";

const ROWS_PER_CLOCK_CHECK = 256;
const ROWS = `
  SELECT seq, time, flags, severity, service FROM records
  WHERE transaction_key = ? AND (time, seq) > (?, ?) ORDER BY time, seq`;

interface TimelineRow extends Hit {
  readonly isMatch: boolean;
}

export function readTimeline(
  readers: readonly DayReader[],
  filter: RecordFilter,
  deadline: Deadline,
): Page<StoredRecord> {
  const limit = pageSize(filter.limit);
  const after = filter.cursor === undefined ? undefined : decodeRecordPlace(filter.cursor);
  const hits: Hit[] = [];
  let last: Hit | undefined;
  let rows = 0;
  for (const row of mergeByTime(readers.map((reader) => rowsOfDay(reader, filter, after)))) {
    if (row.isMatch && hits.length === limit) return toPage(hits, { hasMore: true });
    if (row.isMatch) hits.push(row);
    last = row;
    if (++rows % ROWS_PER_CLOCK_CHECK === 0 && deadline.isOver()) {
      const items = readRecords(hits);
      const end = items.length < hits.length ? hits[items.length - 1] : last;
      return { items, cursor: end === undefined ? null : placeOf(end), isCut: true };
    }
  }
  return toPage(hits, { hasMore: false });
}

function toPage(hits: readonly Hit[], { hasMore }: { hasMore: boolean }): Page<StoredRecord> {
  const items = readRecords(hits);
  const last = hits[items.length - 1];
  const isLast = !hasMore && items.length === hits.length;
  return { items, cursor: isLast || last === undefined ? null : placeOf(last), isCut: false };
}

function placeOf({ timeNs, reader, seq }: Hit): string {
  return encodeRecordPlace({ timeNs, day: reader.day, seq });
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

/** At the cursor's very time, earlier days are done and later ones are not begun. */
function firstSeqAfter({ day }: DayReader, after: RecordPlace | undefined): number {
  if (after === undefined || day > after.day) return -1;
  return day < after.day ? MAX_SEQ : after.seq;
}

function isSevere(
  { flags, severity }: { flags: number; severity: number },
  least: number | undefined,
): boolean {
  if (least === undefined) return true;
  if ((flags & FLAG.span) === 0) return severity >= least;
  return (flags & FLAG.error) !== 0 && least <= SEVERITY_ERROR;
}

/** Each source is in order; of rows at the same time those of the earlier day come first. */
function* mergeByTime(sources: readonly Generator<TimelineRow>[]): Generator<TimelineRow> {
  const heads = sources.map((source) => source.next().value as TimelineRow | undefined);
  try {
    for (;;) {
      let first = -1;
      for (const [index, head] of heads.entries()) {
        if (head === undefined) continue;
        const best = heads[first];
        if (best === undefined || head.timeNs < best.timeNs) first = index;
      }
      const row = heads[first];
      if (row === undefined) return;
      yield row;
      heads[first] = sources[first]?.next().value as TimelineRow | undefined;
    }
  } finally {
    for (const source of sources) source.return(undefined);
  }
}
