/**
 * How far the logs were followed. Elasticsearch numbers what is written to each shard, from 0 on;
 * the shards of a data stream's backing indices are told apart by `<date>-<generation>/<shard>`,
 * whose order is that in which the indices were begun.
 */
import {
  cursorNumber,
  cursorText,
  decodeCursor,
  encodeCursor,
  invalidCursor,
} from "../../cursor-text.ts";

export interface Shard {
  /** The backing index. */
  readonly index: string;
  readonly shard: number;
  /** Everything up to this number is written; -1 where nothing is. */
  readonly lastNumber: number;
  readonly name: string;
}

/** The last number that was looked at, by the shard's name. */
export type WritingPlace = ReadonlyMap<string, number>;

/** Shards before the newest so many are not written to any more. */
const WRITING_SHARDS_MAX = 32;
const NOTHING_READ = -1;

/** Oldest first. */
export function shardsOf(
  stream: string,
  checkpoints: ReadonlyMap<string, readonly number[]>,
): readonly Shard[] {
  const prefix = `.ds-${stream}-`;
  const shards = [...checkpoints].flatMap(([index, numbers]) => {
    const generation = index.startsWith(prefix) ? index.slice(prefix.length) : index;
    return numbers.map((lastNumber, shard) => {
      return { index, shard, lastNumber, name: `${generation}/${shard}` };
    });
  });
  return shards.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Shards before the oldest of the cursor are done; those that came since begin at their start. */
export function startOf({ name, lastNumber }: Shard, from: WritingPlace): number {
  const [oldest] = [...from.keys()].toSorted();
  const isDone = oldest !== undefined && name < oldest;
  return from.get(name) ?? (isDone ? lastNumber : NOTHING_READ);
}

export function encodeWritingPlace(place: WritingPlace): string {
  const newest = [...place].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(-WRITING_SHARDS_MAX);
  return encodeCursor(["shards", ...newest.flat()]);
}

/** @throws ClewError PARAMETER_INVALID */
export function decodeWritingPlace(cursor: string): WritingPlace {
  const [list, ...rest] = decodeCursor(cursor);
  if (list !== "shards" || rest.length % 2 !== 0) throw invalidCursor();
  const place = new Map<string, number>();
  for (let i = 0; i < rest.length; i += 2) {
    place.set(cursorText(rest[i]), cursorNumber(rest[i + 1], NOTHING_READ));
  }
  return place;
}
