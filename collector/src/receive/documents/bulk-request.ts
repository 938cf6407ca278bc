import { ClewError } from "../../errors.ts";
import { isObject, type JsonObject, type JsonValue } from "../../lines/json-value.ts";

/** What of the actions of Elasticsearch's bulk API is told apart. */
export type BulkAction = "index" | "create" | "update" | "delete";

/** One operation: its action line, and where its document is; a deletion has none. */
export interface BulkOperation {
  readonly action: BulkAction;
  readonly index: string;
  /** Given by the sender. */
  readonly id: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** More operations than shippers send at once; it bounds what one small request can cost. */
export const BULK_OPERATIONS_MAX = 100_000;

const LINE_FEED = 0x0a;
const ACTION_BYTES_MAX = 64 * 1024;
const ACTIONS: ReadonlySet<string> = new Set(["index", "create", "update", "delete"]);
const NAME_BYTES_MAX = 512;

/**
 * Reads the body of a `_bulk` request (Elasticsearch REST API, "Bulk index or delete documents"):
 * lines, each ended by a line feed, an action and its document in turns. As there, a body that is
 * not of this form is refused whole, and so is one that breaks off behind an action.
 */
export class BulkReader {
  readonly #body: Buffer;
  readonly #indexOfPath: string | undefined;
  #at = 0;
  #line = 0;
  #operations = 0;
  #lastLine: Buffer = Buffer.alloc(0);
  #lastAction: Action | undefined;

  /** @throws ClewError REQUEST_MALFORMED */
  constructor(body: Buffer, indexOfPath: string | undefined) {
    if (body.length === 0) throw malformed("request body is required");
    if (body.at(-1) !== LINE_FEED) {
      throw malformed("The bulk request must be terminated by a newline [\\n]");
    }
    this.#body = body;
    this.#indexOfPath = indexOfPath;
  }

  /**
   * The next operation; undefined after the last.
   * @throws ClewError REQUEST_MALFORMED, REQUEST_TOO_LARGE
   */
  next(): BulkOperation | undefined {
    const action = this.#nextAction();
    if (action === undefined) {
      if (this.#operations > 0) return undefined;
      throw malformed("Validation Failed: 1: no requests added;");
    }
    if (++this.#operations > BULK_OPERATIONS_MAX) {
      const why = `it has more than ${BULK_OPERATIONS_MAX} operations`;
      throw new ClewError("REQUEST_TOO_LARGE", `cannot take the bulk request: ${why}`);
    }
    if (action.action === "delete") return { ...action, start: this.#at, end: this.#at };
    const start = this.#at;
    if (!this.#advance()) {
      throw malformed(`the document of the action in line [${this.#line}] is missing`);
    }
    const { action: name, index, id } = action;
    return { action: name, index, id, start, end: this.#at - 1 };
  }

  #nextAction(): Action | undefined {
    for (;;) {
      const start = this.#at;
      if (!this.#advance()) return undefined;
      const line = this.#body.subarray(start, this.#at - 1);
      if (line.length === 0 || (line.length === 1 && line[0] === 0x0d)) continue;
      // Nearly all action lines of a request are the same, where the sender gives no ids.
      if (this.#lastAction !== undefined && line.equals(this.#lastLine)) return this.#lastAction;
      this.#lastAction = this.#parseAction(line);
      this.#lastLine = line;
      return this.#lastAction;
    }
  }

  /** Passes over a line; false at the end of the body. */
  #advance(): boolean {
    const end = this.#body.indexOf(LINE_FEED, this.#at);
    if (end < 0) return false;
    this.#at = end + 1;
    this.#line++;
    return true;
  }

  #parseAction(line: Buffer): Action {
    const parsed = line.length > ACTION_BYTES_MAX ? undefined : findJson(line.toString());
    if (!isObject(parsed)) throw this.#malformedAction("START_OBJECT");
    const [action, ...others] = Object.keys(parsed);
    if (action === undefined || others.length > 0) throw this.#malformedAction("FIELD_NAME");
    const meta = parsed[action];
    if (!isAction(action)) {
      throw this.#malformedAction("field [create], [delete], [index] or [update]");
    }
    if (!isObject(meta)) throw this.#malformedAction("START_OBJECT");
    const index = this.#name(meta, "_index") ?? this.#indexOfPath;
    if (index === undefined) throw malformed("Validation Failed: 1: index is missing;");
    return { action, index, id: this.#name(meta, "_id") };
  }

  #name(meta: JsonObject, key: string): string | undefined {
    const value = Object.hasOwn(meta, key) ? meta[key] : undefined;
    if (value === undefined || value === null || value === "") return undefined;
    const name = String(value);
    if (typeof value === "object" || Buffer.byteLength(name) > NAME_BYTES_MAX) {
      throw this.#malformedAction(`a text of at most ${NAME_BYTES_MAX} bytes as [${key}]`);
    }
    return name;
  }

  #malformedAction(expected: string): ClewError {
    return malformed(`Malformed action/metadata line [${this.#line}], expected ${expected}`);
  }
}

interface Action {
  readonly action: BulkAction;
  readonly index: string;
  readonly id: string | undefined;
}

function findJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isAction(name: string): name is BulkAction {
  return ACTIONS.has(name);
}

function malformed(why: string): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot take the bulk request: ${why}`);
}
