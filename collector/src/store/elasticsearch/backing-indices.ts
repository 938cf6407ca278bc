import { ClewError } from "../../errors.ts";
import { readError, toStallError } from "./bulk-answer.ts";
import type { BulkClient } from "./bulk-client.ts";

/** Of one `_mget`. */
const IDS_MAX = 2_000;
const NONE: ReadonlySet<string> = new Set();
const LOOK_UP = "look for records that may repeat";
const PARAMETERS = [
  "realtime=true&refresh=false",
  "_source=false&stored_fields=_none_",
  "filter_path=docs.found,docs.error",
].join("&");

interface Asked {
  readonly index: string;
  readonly ids: readonly string[];
}

/**
 * Finds documents by id in all indices that a data stream consists of. Ids are unique in each of
 * them only, so whatever may have been written before the stream's last rollover is looked for
 * before it is created: by `_mget`, which reads what is not yet searchable, and never by search.
 */
export class BackingIndices {
  readonly #client: BulkClient;

  constructor(client: BulkClient) {
    this.#client = client;
  }

  /**
   * The stream's indices, oldest first; none where there is no such stream. Asked anew each time:
   * it takes a millisecond, and an index that we did not know of is one we would not look into.
   */
  async list(stream: string): Promise<readonly string[]> {
    const path = `/_resolve/index/${stream}?expand_wildcards=all`;
    const { status, body } = await this.#client.request({ method: "GET", path });
    if (status === 404) return [];
    if (status !== 200) throw toStallError(readError(status, body), "list the indices of a stream");
    const answer = JSON.parse(body.toString("utf8")) as {
      readonly data_streams?: readonly { name: string; backing_indices: string | string[] }[];
    };
    const found = answer.data_streams?.find(({ name }) => name === stream);
    return [found?.backing_indices ?? []].flat();
  }

  /** Those of the ids that are in the stream. */
  async find(stream: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return NONE;
    const found = new Set<string>();
    // Newest first: what repeats was mostly written a moment ago.
    for (const index of (await this.list(stream)).toReversed()) {
      const missing = ids.filter((id) => !found.has(id));
      for (const id of await this.findIn({ index, ids: missing })) found.add(id);
    }
    return found;
  }

  /** Those of the ids that are in one index. */
  async findIn({ index, ids }: Asked): Promise<readonly string[]> {
    const found: string[] = [];
    for (let start = 0; start < ids.length; start += IDS_MAX) {
      const part = ids.slice(start, start + IDS_MAX);
      found.push(...(await this.#findPart({ index, ids: part })));
    }
    return found;
  }

  async #findPart({ index, ids }: Asked): Promise<readonly string[]> {
    const path = `/${encodeURIComponent(index)}/_mget?${PARAMETERS}`;
    const body = Buffer.from(JSON.stringify({ ids }));
    const answer = await this.#client.request({ method: "POST", path, body });
    // Expired since it was listed, and what it held with it.
    if (answer.status === 404) return [];
    if (answer.status !== 200) throw toStallError(readError(answer.status, answer.body), LOOK_UP);
    const { docs } = JSON.parse(answer.body.toString("utf8")) as { docs?: readonly unknown[] };
    if (docs?.length !== ids.length) {
      throw new ClewError("STORE_UNAVAILABLE", `cannot ${LOOK_UP}: the answer is not one`);
    }
    return ids.filter((_, at) => isFound(docs[at]));
  }
}

function isFound(doc: unknown): boolean {
  if (typeof doc === "object" && doc !== null && "found" in doc) return doc.found === true;
  const error = typeof doc === "object" && doc !== null && "error" in doc ? doc.error : {};
  const type = String(Reflect.get(Object(error), "type") ?? "");
  if (type === "index_not_found_exception") return false;
  const reason = String(Reflect.get(Object(error), "reason") ?? "no reason given");
  throw toStallError({ status: 503, type, reason }, LOOK_UP);
}
