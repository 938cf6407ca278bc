import { closeSync, fsyncSync, ftruncateSync, openSync, statSync } from "node:fs";
import { LagLedger } from "./lag-ledger.ts";
import { SEGMENT_HEADER_BYTES, segmentPath } from "./segment-format.ts";
import { type Damage, listSegments, SegmentReader } from "./segment-reader.ts";

const READ_BYTES = 1024 * 1024;

export interface Segment {
  readonly first: number;
  bytes: number;
}

export interface RecoveredSegments {
  /** Ascending; the last one may be appended to. */
  readonly segments: Segment[];
  readonly nextOffset: number;
  /** Records in all segments. */
  readonly recordsTotal: number;
}

/**
 * Finds where the log ends. What follows the last good entry of the last segment was never
 * acknowledged and is cut off. What is kept is made durable first: after a kill it may be in the
 * page cache only. Adds what was not committed to `ledger`.
 */
export function recoverSegments(log: {
  dir: string;
  committed: number;
  ledger: LagLedger;
  onDamage: (damage: Damage) => void;
}): RecoveredSegments {
  const segments = listSegments(log.dir).map((first) => ({
    first,
    bytes: statSync(segmentPath(log.dir, first)).size,
  }));
  const last = segments.at(-1);
  if (last === undefined) return { segments, nextOffset: 0, recordsTotal: 0 };
  countClosed(log, segments.slice(0, -1), last);
  return {
    segments,
    ...(last.bytes > SEGMENT_HEADER_BYTES ? recoverLast : recoverEmpty)(log, last),
  };
}

type Log = Parameters<typeof recoverSegments>[0];

function recoverLast(log: Log, last: Segment): { nextOffset: number; recordsTotal: number } {
  const found: Damage[] = [];
  const reader = new SegmentReader({ ...log, first: last.first, onDamage: (d) => found.push(d) });
  const totals = countEntries(log, reader, {
    endBytes: last.bytes,
    boundary: Number.POSITIVE_INFINITY,
  });
  reader.close();
  for (const damage of found) log.onDamage(damage);
  cut(log, last, reader.goodEnd);
  return {
    nextOffset: Math.max(last.first, totals.nextOffset),
    recordsTotal: (reader.recordsBefore ?? 0) + totals.records,
  };
}

/**
 * No entry was ever durable in this segment. The file stays, since its name alone may hold the next
 * offset. How many records came before is no more known than the segment before tells.
 */
function recoverEmpty(log: Log, last: Segment): { nextOffset: number; recordsTotal: number } {
  cut(log, last, 0);
  const before = listSegments(log.dir).at(-2);
  if (before === undefined) return { nextOffset: last.first, recordsTotal: 0 };
  const reader = new SegmentReader({ ...log, first: before });
  const limits = { endBytes: reader.fileBytes(), boundary: last.first };
  const { records } = countEntries({ ...log, ledger: new LagLedger() }, reader, limits);
  reader.close();
  return { nextOffset: last.first, recordsTotal: (reader.recordsBefore ?? 0) + records };
}

function cut(log: Log, segment: Segment, bytes: number): void {
  const fd = openSync(segmentPath(log.dir, segment.first), "r+");
  try {
    if (bytes < segment.bytes) ftruncateSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  segment.bytes = bytes;
}

/** Whole segments are counted by their headers; only the one with the committed offset is read. */
function countClosed(log: Log, closed: readonly Segment[], last: Segment): void {
  closed.forEach((segment, index) => {
    const boundary = (closed[index + 1] ?? last).first;
    if (boundary <= log.committed) return;
    const reader = new SegmentReader({ ...log, first: segment.first });
    if (segment.first < log.committed) {
      countEntries(log, reader, { endBytes: segment.bytes, boundary });
    } else {
      const next = new SegmentReader({ ...log, first: boundary });
      const records = (next.recordsBefore ?? 0) - (reader.recordsBefore ?? 0);
      next.close();
      const [oldest] = reader.read({ maxBytes: 64, endBytes: segment.bytes });
      log.ledger.add({
        end: boundary,
        messages: boundary - segment.first,
        records: Math.max(0, records),
        receivedNs: oldest?.headers.receivedNs ?? 0n,
      });
    }
    reader.close();
  });
}

function countEntries(
  log: Log,
  reader: SegmentReader,
  { endBytes, boundary }: { endBytes: number; boundary: number },
): { nextOffset: number; records: number } {
  let nextOffset = 0;
  let records = 0;
  for (;;) {
    const messages = reader.read({ maxBytes: READ_BYTES, endBytes });
    if (messages.length === 0) return { nextOffset, records };
    for (const { offset, headers } of messages) {
      if (offset >= boundary) return { nextOffset, records };
      nextOffset = offset + 1;
      records += headers.records;
      if (offset < log.committed) continue;
      log.ledger.add({
        end: offset + 1,
        messages: 1,
        records: headers.records,
        receivedNs: headers.receivedNs,
      });
    }
  }
}
