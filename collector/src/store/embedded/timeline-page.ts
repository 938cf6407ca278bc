/** Records of several days in one order: by time, then by order of writing. */
import type { StoredRecord } from "../../record.ts";
import type { Page } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { encodeRecordPlace, type RecordPlace } from "./page-cursor.ts";
import { type Deadline, type Hit, MAX_SEQ, readRecords } from "./record-page.ts";

const ROWS_PER_CLOCK_CHECK = 256;

export interface TimelineRow extends Hit {
  /** Whether it is asked for; a row that is not only moves the place to go on from. */
  readonly isMatch: boolean;
}

/** One page of what the sources give, each of which is in order. */
export function readTimelinePage(
  sources: readonly Generator<TimelineRow>[],
  { limit, deadline }: { readonly limit: number; readonly deadline: Deadline },
): Page<StoredRecord> {
  const hits: Hit[] = [];
  let last: Hit | undefined;
  let rows = 0;
  for (const row of mergeByTime(sources)) {
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

/** At the cursor's very time, earlier days are done and later ones are not begun. */
export function firstSeqAfter({ day }: DayReader, after: RecordPlace | undefined): number {
  if (after === undefined || day > after.day) return -1;
  return day < after.day ? MAX_SEQ : after.seq;
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
