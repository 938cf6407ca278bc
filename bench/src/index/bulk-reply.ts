/** The answer to `_bulk` where every document was created, cut down as `filter_path` asks for. */
import type { BulkDocument } from "./bulk-body.ts";

const CREATED = 201;

export class BulkReply {
  /** Names of an item's fields that are asked for; undefined: all. */
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #items: string[] = [];

  /** @param path with its query, as `/_bulk?filter_path=errors,items.*.status` */
  constructor(path: string) {
    const filter = new URL(path, "http://sink").searchParams.get("filter_path");
    this.#wanted = filter === null ? undefined : itemFields(filter);
  }

  add({ index, id }: BulkDocument): void {
    // Without index and id all items are alike, and few ask for those.
    const item = {
      ...(this.#isWanted("_index") && { _index: index ?? "logs" }),
      ...(this.#isWanted("_id") && { _id: id ?? "chosen" }),
      ...(this.#isWanted("status") && { status: CREATED }),
    };
    this.#items.push(Object.keys(item).length === 0 ? "" : `{"create":${JSON.stringify(item)}}`);
  }

  toString(): string {
    const items = this.#items.filter((item) => item !== "");
    const filled = items.length === 0 ? "" : `,"items":[${items.join(",")}]`;
    return `{"errors":false,"took":1${filled}}`;
  }

  #isWanted(field: string): boolean {
    return this.#wanted?.has(field) ?? true;
  }
}

/** `items.*.status` wants `status`, and `items.*.error.type` wants nothing of what was created. */
function itemFields(filter: string): ReadonlySet<string> {
  const paths = filter.split(",").map((path) => path.split("."));
  const ofItems = paths.filter(([first, , ...rest]) => first === "items" && rest.length === 1);
  return new Set(ofItems.map((path) => path.at(-1) ?? ""));
}
