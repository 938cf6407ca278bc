import type { BackingIndices } from "./backing-indices.ts";
import { type AnsweredError, readError, readErrors, toStallError } from "./bulk-answer.ts";
import type { BulkClient } from "./bulk-client.ts";

const PARAMETERS = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason";
const ACT = "remove a record that was written twice";
const FORBIDDEN = 403;
const NOT_FOUND = 404;

export interface RolloverDoublesOptions {
  readonly client: BulkClient;
  readonly indices: BackingIndices;
  readonly warn: (sentence: string) => void;
}

/**
 * Removes what two writers wrote into two indices of a stream.
 *
 * Who writes a record that may repeat looks for it first. That is not enough where an indexer stood
 * still (a frozen process, a request that was carried out late) while another took its place and
 * the stream rolled over meanwhile: then both find nothing, and both create. So each looks, after a
 * batch, whether the stream has a newer index than before it; if so, of its records that lie in two
 * indices the later ones go. Which of them is later is the same to both.
 */
export class RolloverDoubles {
  readonly #options: RolloverDoublesOptions;
  /** By stream. */
  readonly #newest = new Map<string, string>();

  constructor(options: RolloverDoublesOptions) {
    this.#options = options;
  }

  /** To be called before a stream is written to. */
  async watch(stream: string): Promise<void> {
    if (this.#newest.has(stream)) return;
    this.#newest.set(stream, (await this.#options.indices.list(stream)).at(-1) ?? "");
  }

  /** To be called after it; answers how many of the ids were there twice. */
  async remove(stream: string, ids: readonly string[]): Promise<number> {
    const names = await this.#options.indices.list(stream);
    const newest = names.at(-1) ?? "";
    const removed = newest === this.#newest.get(stream) ? 0 : await this.#search(names, ids);
    this.#newest.set(stream, newest);
    return removed;
  }

  async #search(names: readonly string[], ids: readonly string[]): Promise<number> {
    const kept = new Set<string>();
    let removed = 0;
    if (names.length < 2) return removed;
    for (const index of names) {
      const there = await this.#options.indices.findIn({ index, ids });
      const doubles = there.filter((id) => kept.has(id));
      for (const id of there) kept.add(id);
      if (doubles.length > 0) removed += await this.#delete(index, doubles);
    }
    return removed;
  }

  /** Where we lack the right to delete, the record stays twice, and a person is told. */
  async #delete(index: string, ids: readonly string[]): Promise<number> {
    const { client, warn } = this.#options;
    const lines = ids.map((id) => `${JSON.stringify({ delete: { _id: id } })}\n`);
    const path = `/${encodeURIComponent(index)}/_bulk?${PARAMETERS}`;
    const { status, body } = await client.request({
      ...{ method: "POST", path },
      body: Buffer.from(lines.join("")),
    });
    const error = status === 200 ? firstError(body) : readError(status, body);
    if (error === undefined) return ids.length;
    const stall = toStallError(error, ACT);
    if (error.status !== FORBIDDEN) throw stall;
    warn(`${stall.message} (${ids.length} of ${index}, as ${ids[0]})`);
    return 0;
  }
}

function firstError(body: Buffer): AnsweredError | undefined {
  return readErrors(body, "delete").find(({ status }) => status >= 300 && status !== NOT_FOUND);
}
