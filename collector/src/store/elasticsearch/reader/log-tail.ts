/**
 * Logs in the order of writing, to be followed: shard by shard, by the numbers that Elasticsearch
 * gives to what it writes. Clocks play no part, so that a log is given however late it comes, and
 * whichever of several indexers was slow.
 *
 * Writes are numbered before they are done, several at a time. Only what lies at or before the
 * shard's checkpoint, up to which all are done, is given; what comes after it is the next page's.
 */
import type { StoredRecord } from "../../../record.ts";
import type { LogFilter, Page } from "../../store.ts";
import { logClauses } from "./record-clauses.ts";
import { pageSize, searchDocuments } from "./record-page.ts";
import type { SearchClient } from "./search-client.ts";
import { toStoredRecord } from "./source-record.ts";
import { readTextQuery, type TextQuery } from "./text-query.ts";
import {
  decodeWritingPlace,
  encodeWritingPlace,
  type Shard,
  shardsOf,
  startOf,
} from "./writing-place.ts";

/** Numbers that one search looks at, so that a slow one gets on nevertheless, piece by piece. */
const NUMBERS_PER_SEARCH = 5_000_000;
const SEQ_NO = "_seq_no";

export interface TailParts {
  readonly client: SearchClient;
  readonly stream: string;
  /** Resolves once all that is written can be searched for. */
  readonly refresh: () => Promise<void>;
}

export async function followLogs(parts: TailParts, filter: LogFilter): Promise<Page<StoredRecord>> {
  const text = readTextQuery(filter.query);
  const from = filter.cursor === undefined ? new Map() : decodeWritingPlace(filter.cursor);
  const { client, stream, refresh } = parts;
  // First how far the writing is, then the refresh: so all before the checkpoint can be found.
  const shards = shardsOf(stream, await client.checkpoints(stream));
  await refresh();
  const limit = pageSize(filter.limit);
  const items: StoredRecord[] = [];
  const place = new Map<string, number>();
  const wanted = text && { ...text, clauses: [...logClauses(filter), ...text.clauses] };
  let isCut = false;
  for (const shard of shards) {
    const tail = new ShardTail({ client, shard, wanted, after: startOf(shard, from) });
    if (!isCut) isCut = await tail.read(items, limit);
    place.set(shard.name, tail.after);
  }
  return { items, cursor: encodeWritingPlace(place), isCut };
}

interface ShardTailParts {
  readonly client: SearchClient;
  readonly shard: Shard;
  /** Undefined: nothing matches. */
  readonly wanted: TextQuery | undefined;
  /** The number up to which it was looked at before. */
  readonly after: number;
}

class ShardTail {
  readonly #client: SearchClient;
  readonly #shard: Shard;
  readonly #wanted: TextQuery | undefined;
  /** The number up to which it was looked at. */
  after: number;

  constructor({ client, shard, wanted, after }: ShardTailParts) {
    this.#client = client;
    this.#shard = shard;
    this.#wanted = wanted;
    this.after = after;
  }

  /** Adds to the items what follows, up to the limit; answers whether the time limit ended it. */
  async read(items: StoredRecord[], limit: number): Promise<boolean> {
    const { lastNumber } = this.#shard;
    while (this.after < lastNumber && items.length < limit) {
      if (this.#client.isOver()) return true;
      const until = Math.min(lastNumber, this.after + NUMBERS_PER_SEARCH);
      const found = await this.#search(until, limit - items.length);
      if (found === undefined) return true;
      items.push(...found);
    }
    return false;
  }

  /** Undefined where the time limit ended it: then it must be asked again. */
  async #search(until: number, size: number): Promise<readonly StoredRecord[] | undefined> {
    if (this.#wanted === undefined) {
      this.after = until;
      return [];
    }
    const { clauses, holds } = this.#wanted;
    const { index, shard } = this.#shard;
    const numbers = { range: { [SEQ_NO]: { gt: this.after, lte: until } } };
    const query = { bool: { filter: [...clauses, numbers] } };
    const sort = [{ [SEQ_NO]: { order: "asc" as const } }];
    const { hits, isCut, isShrunk } = await searchDocuments(this.#client, {
      index,
      preference: `_shards:${shard}`,
      body: { query, sort, size },
    });
    if (isCut) return undefined;
    const last = hits.at(-1)?.sort[0];
    const isFull = hits.length === size || isShrunk;
    this.after = isFull && typeof last === "number" ? last : until;
    return hits
      .map((hit) => ({ hit, record: toStoredRecord(hit) }))
      .filter(({ hit, record }) => holds(record, hit))
      .map(({ record }) => record);
  }
}
