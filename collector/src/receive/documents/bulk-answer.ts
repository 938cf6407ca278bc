import type { BulkAction } from "./bulk-request.ts";
import type { FilterPath } from "./filter-path.ts";

/** What became of one operation. */
export interface BulkResult {
  readonly action: BulkAction;
  readonly index: string;
  readonly id: string | undefined;
  /** Undefined where the document is durable. */
  readonly error?: BulkError;
}

export interface BulkError {
  readonly status: number;
  readonly type: string;
  readonly reason: string;
}

const CREATED = 201;
const ERROR = "error";

/**
 * The answer to a `_bulk` request: an item for each operation, in their order, each
 * `{"<action>": {_index, _id, _version, result, status}}` or `{… status, error: {type, reason}}`.
 * Items are written while the request is read, so that a large one does not hold up others; nothing
 * is sent before all is durable.
 */
export class BulkAnswer {
  readonly #filter: FilterPath;
  readonly #writer: ItemWriter;
  readonly #items: string[] = [];
  #hasErrors = false;

  constructor(filter: FilterPath) {
    this.#filter = filter;
    this.#writer = new ItemWriter(filter);
  }

  add(result: BulkResult): void {
    const item = this.#writer.write(result);
    if (item !== "") this.#items.push(item);
    this.#hasErrors ||= result.error !== undefined;
  }

  finish(tookMs: number): Buffer {
    const parts: string[] = [];
    if (this.#filter.has("took")) parts.push(`"took":${Math.round(tookMs)}`);
    // Fluent Bit, where its buffer holds only the beginning, looks for `"errors":false,"items":[`.
    if (this.#filter.has("errors")) parts.push(`"errors":${this.#hasErrors}`);
    if (this.#items.length > 0) parts.push(`"items":[${this.#items.join()}]`);
    return Buffer.from(`{${parts.join()}}`);
  }
}

/** Which fields an item of one action has. */
interface ItemFields {
  readonly index: boolean;
  readonly id: boolean;
  readonly version: boolean;
  readonly result: boolean;
  readonly status: boolean;
  readonly errorType: boolean;
  readonly errorReason: boolean;
}

class ItemWriter {
  readonly #filter: FilterPath;
  readonly #fields = new Map<BulkAction, ItemFields>();
  #lastIndex: string | undefined;
  #lastIndexText = "";

  constructor(filter: FilterPath) {
    this.#filter = filter;
  }

  /** Empty where the filter leaves nothing of it, as Elasticsearch then leaves the item out. */
  write({ action, index, id, error }: BulkResult): string {
    const fields = this.#fieldsOf(action);
    let text = fields.index ? `,"_index":${this.#indexText(index)}` : "";
    if (fields.id && id !== undefined) text += `,"_id":${JSON.stringify(id)}`;
    if (error === undefined) {
      if (fields.version) text += `,"_version":1`;
      if (fields.result) text += `,"result":"created"`;
      if (fields.status) text += `,"status":${CREATED}`;
    } else {
      if (fields.status) text += `,"status":${error.status}`;
      const type = fields.errorType ? `,"type":${JSON.stringify(error.type)}` : "";
      const reason = fields.errorReason ? `,"reason":${JSON.stringify(error.reason)}` : "";
      if (type + reason !== "") text += `,"error":{${(type + reason).slice(1)}}`;
    }
    return text === "" ? "" : `{"${action}":{${text.slice(1)}}}`;
  }

  #fieldsOf(action: BulkAction): ItemFields {
    const known = this.#fields.get(action);
    if (known !== undefined) return known;
    const has = (name: string) => this.#filter.has(`items.${action}.${name}`);
    const fields = {
      index: has("_index"),
      id: has("_id"),
      version: has("_version"),
      result: has("result"),
      status: has("status"),
      errorType: has(`${ERROR}.type`),
      errorReason: has(`${ERROR}.reason`),
    };
    this.#fields.set(action, fields);
    return fields;
  }

  #indexText(index: string): string {
    if (index !== this.#lastIndex) {
      this.#lastIndex = index;
      this.#lastIndexText = JSON.stringify(index);
    }
    return this.#lastIndexText;
  }
}
