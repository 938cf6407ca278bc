/** Dead letters over the days kept, refused last first. Each lies in one of them. */
import { cursorNs, cursorText, decodeCursor, encodeCursor, invalidCursor } from "../cursor-text.ts";
import type { DeadLetterFilter, DeadLetterGroup, StoredDeadLetter } from "../dead-letter.ts";
import type { Page } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { DeadLetterGroups } from "./dead-letter-groups.ts";
import { type LetterRow, readLetter, toLetterRow } from "./dead-letter-row.ts";
import { mergeDescending } from "./merge-descending.ts";
import { type Deadline, pageSize, toWindow } from "./record-page.ts";

const COLUMNS = `key, id, received, refused, transaction_id, service, run_id, sequence,
  reason, status, detail, pattern, topic, state, refusals`;
const ROWS = `
  SELECT ${COLUMNS} FROM dead_letters
  WHERE refused >= ?1 AND (refused, id) < (?2, ?3) ORDER BY refused DESC, id DESC`;
/** The second condition is that of the index, which is not used without it. */
const ROWS_OF_TRANSACTION = `
  SELECT ${COLUMNS} FROM dead_letters
  WHERE transaction_id = ?4 AND transaction_id <> ''
    AND refused >= ?1 AND (refused, id) < (?2, ?3)
  ORDER BY refused DESC, id DESC`;
const ROW = `SELECT ${COLUMNS} FROM dead_letters WHERE id = ?`;
const ROWS_PER_CLOCK_CHECK = 64;

/** A place in the list, which is ordered by latest refusal, then id. */
interface LetterPlace {
  readonly refusedNs: bigint;
  readonly id: string;
}

interface Found extends LetterPlace {
  readonly reader: DayReader;
  readonly row: LetterRow;
}

export function listDeadLetters(
  readers: readonly DayReader[],
  filter: DeadLetterFilter,
  deadline: Deadline,
): Page<StoredDeadLetter> {
  const limit = pageSize(filter.limit);
  const items: StoredDeadLetter[] = [];
  let last: LetterPlace | undefined;
  let rows = 0;
  for (const found of lettersOf(readers, filter)) {
    if (passes(found.row, filter)) {
      if (last !== undefined && items.length === limit) {
        return { items, cursor: encodePlace(last), isCut: false };
      }
      items.push(readLetter(found, { withBytes: false }));
      last = found;
    }
    if (++rows % ROWS_PER_CLOCK_CHECK === 0 && deadline.isOver()) {
      return { items, cursor: encodePlace(found), isCut: true };
    }
  }
  return { items, cursor: null, isCut: false };
}

export function groupDeadLetters(
  readers: readonly DayReader[],
  filter: DeadLetterFilter,
  deadline: Deadline,
): Page<DeadLetterGroup> {
  const groups = new DeadLetterGroups();
  let isCut = false;
  let rows = 0;
  for (const { row } of lettersOf(readers, filter)) {
    if (passes(row, filter)) groups.add(row);
    isCut = ++rows % ROWS_PER_CLOCK_CHECK === 0 && deadline.isOver();
    if (isCut) break;
  }
  const { items, isCut: isListCut } = groups.largest(pageSize(filter.limit));
  return { items, cursor: null, isCut: isCut || isListCut };
}

export function findDeadLetter(
  readers: readonly DayReader[],
  id: string,
): StoredDeadLetter | undefined {
  for (const reader of readers) {
    const row = reader.prepare(ROW).get(id);
    if (row !== undefined)
      return readLetter({ reader, row: toLetterRow(row) }, { withBytes: true });
  }
  return undefined;
}

function lettersOf(readers: readonly DayReader[], filter: DeadLetterFilter): Generator<Found> {
  const before = filter.cursor === undefined ? undefined : decodePlace(filter.cursor);
  const sources = readers.map((reader) => lettersOfDay(reader, filter, before));
  return mergeDescending(sources, comparePlaces);
}

function* lettersOfDay(
  reader: DayReader,
  filter: DeadLetterFilter,
  before: LetterPlace | undefined,
): Generator<Found> {
  const { firstNs, lastNs } = toWindow(filter);
  // Sorts behind every letter of the window, whatever bytes its id has.
  const place = before ?? { refusedNs: lastNs, id: "\u{10ffff}\u{10ffff}" };
  const values = [firstNs, place.refusedNs, place.id] as const;
  const { transactionId } = filter;
  const rows =
    transactionId === undefined
      ? reader.prepare(ROWS).iterate(...values)
      : reader.prepare(ROWS_OF_TRANSACTION).iterate(...values, transactionId);
  for (const found of rows) {
    const row = toLetterRow(found);
    if (row.refusedNs <= lastNs) yield { reader, row, refusedNs: row.refusedNs, id: row.id };
  }
}

function passes(row: LetterRow, { state, reason, service }: DeadLetterFilter): boolean {
  return (
    (state === undefined || row.state === state) &&
    (reason === undefined || row.reason === reason) &&
    (service === undefined || row.service === service)
  );
}

function encodePlace({ refusedNs, id }: LetterPlace): string {
  return encodeCursor(["letter", String(refusedNs), id]);
}

/** @throws ClewError PARAMETER_INVALID */
function decodePlace(cursor: string): LetterPlace {
  const [list, refused, id] = decodeCursor(cursor);
  if (list !== "letter") throw invalidCursor();
  return { refusedNs: cursorNs(refused), id: cursorText(id) };
}

/** As SQLite compares text: byte by byte. */
function comparePlaces(a: LetterPlace, b: LetterPlace): number {
  if (a.refusedNs !== b.refusedNs) return a.refusedNs < b.refusedNs ? -1 : 1;
  return Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
}
