/** Pages of records: how they are sorted, where one ends, and how large it may be. */
import type { StoredRecord } from "../../../record.ts";
import {
  cursorNs,
  cursorNumber,
  decodeCursor,
  encodeCursor,
  invalidCursor,
} from "../../cursor-text.ts";
import type { Page } from "../../store.ts";
import { FIELD, type RecordDocument } from "../document-fields.ts";
import type { Found, Hit, QueryClause, Search, SearchClient } from "./search-client.ts";
import { isAnswerTooLarge } from "./search-errors.ts";
import { toStoredRecord } from "./source-record.ts";
import { formatTime, parseTime, TIME_FORMAT } from "./time-text.ts";

const ITEMS_MAX = 1000;
/** By how much fewer records are asked for where so many were too large. */
const SHRINK_FACTOR = 8;
/** By which two writers' records are told apart that agree in all else; it starts at 0. */
const SEQ_NO = "_seq_no";

export interface RecordSearch {
  readonly index: string;
  readonly filter: readonly QueryClause[];
  /** Which of those that pass the filter are wanted. */
  readonly holds: (record: StoredRecord, hit: RecordHit) => boolean;
  readonly order: "asc" | "desc";
  readonly cursor: string | undefined;
  readonly limit: number;
}

type RecordHit = Hit<RecordDocument>;

/** At least one item, at most `ITEMS_MAX`. */
export function pageSize(limit: number): number {
  return Math.max(1, Math.min(ITEMS_MAX, Math.floor(limit) || 1));
}

/** Records by time, then by receipt, then by order of writing. */
export async function searchRecords(
  client: SearchClient,
  { index, filter, holds, order, cursor, limit }: RecordSearch,
): Promise<Page<StoredRecord>> {
  const asked = pageSize(limit);
  const size = asked + 1;
  const body = { size, query: { bool: { filter: [...filter] } }, sort: sortBy(order) };
  const items: StoredRecord[] = [];
  let after = cursor === undefined ? undefined : decodePlace(cursor);
  for (;;) {
    const from = after === undefined ? {} : { search_after: [...after] };
    const { hits, isCut, isShrunk } = await searchDocuments(client, {
      index,
      body: { ...body, ...from },
    });
    for (const hit of hits) {
      const record = toStoredRecord(hit);
      if (holds(record, hit)) {
        if (items.length === asked) return { items, cursor: encodePlace(after), isCut };
        items.push(record);
      }
      after = hit.sort;
    }
    // Of a search that was cut nobody knows what it passed over: there is no place to go on from.
    if (isCut) return { items, cursor: null, isCut };
    if (hits.length < size && !isShrunk) return { items, cursor: null, isCut };
    const isOver = client.isOver();
    if (isShrunk || isOver) return { items, cursor: encodePlace(after), isCut: isOver };
  }
}

/** Fewer than `body.size` where so many would be more than one answer may hold (`isShrunk`). */
export async function searchDocuments(
  client: SearchClient,
  { body, ...where }: Search,
): Promise<Found<RecordDocument, never> & { readonly isShrunk: boolean }> {
  const wanted = body.size ?? 1;
  for (let size = wanted; ; size = Math.max(1, Math.floor(size / SHRINK_FACTOR))) {
    try {
      const found = await client.search<RecordDocument>({ ...where, body: { ...body, size } });
      return { ...found, isShrunk: size < wanted && found.hits.length === size };
    } catch (thrown) {
      if (size === 1 || !isAnswerTooLarge(thrown)) throw thrown;
    }
  }
}

function sortBy(order: "asc" | "desc") {
  const time = { order, format: TIME_FORMAT };
  return [
    { [FIELD.time]: time },
    { [FIELD.received]: time },
    { [FIELD.order]: { order } },
    { [SEQ_NO]: { order } },
  ];
}

function encodePlace(sort: RecordHit["sort"] = []): string {
  const [time, received, order, seqNo] = sort;
  const times = [time, received].map((text) => String(parseTime(String(text))));
  return encodeCursor(["document", ...times, Number(order), Number(seqNo)]);
}

/** @throws ClewError PARAMETER_INVALID */
function decodePlace(cursor: string): RecordHit["sort"] {
  const [list, time, received, order, seqNo] = decodeCursor(cursor);
  if (list !== "document") throw invalidCursor();
  const times = [time, received].map((value) => formatTime(cursorNs(value)));
  return [...times, cursorNumber(order), cursorNumber(seqNo)];
}
