import { isTransactionId } from "@clew/instrumentation/transaction-id";
import type { AttributeValue } from "../record.ts";

interface TransactionKey {
  readonly key: string;
  /** The key as a way through nested objects. */
  readonly path: readonly string[];
  /** What a JSON text must hold to be worth parsing. */
  readonly needle: string;
}

/** Longer JSON bodies are not looked into. */
const JSON_CHARACTERS_MAX = 256 * 1024;

/** The names under which services that do not know Clew carry their transaction ID. */
export class TransactionKeys {
  readonly names: readonly string[];
  /** Values found under a name of ours that are no transaction IDs. */
  ignored = 0;
  readonly #keys: readonly TransactionKey[];

  constructor(names: readonly string[]) {
    this.names = names;
    this.#keys = names.map((key) => {
      const path = key.split(".");
      return { key, path, needle: `"${path.at(-1)}"` };
    });
  }

  /** The value if it may be taken, else an empty text; what may not be taken is counted. */
  accept(value: AttributeValue | undefined): string {
    const text = typeof value === "number" ? String(value) : value;
    if (isTransactionId(text)) return text;
    if (value !== undefined && value !== null && value !== "") this.ignored++;
    return "";
  }

  /** Looks for each name as a field, then as a path through nested objects. */
  findInObject(object: AttributeValue): string {
    for (const { key, path } of this.#keys) {
      const id = this.accept(fieldOf(object, key) ?? path.reduce(fieldOf, object));
      if (id !== "") return id;
    }
    return "";
  }

  /** As `findInObject`, in a text that may be a JSON object. */
  findInJson(text: string): string {
    if (text.length > JSON_CHARACTERS_MAX || !this.#mayHold(text)) return "";
    let object: AttributeValue;
    try {
      object = JSON.parse(text);
    } catch (error) {
      // A text in braces is not always JSON, and then it is text.
      if (error instanceof SyntaxError) return "";
      throw error;
    }
    return this.findInObject(object);
  }

  #mayHold(text: string): boolean {
    for (const { key, needle } of this.#keys) {
      if (text.includes(needle) || text.includes(`"${key}"`)) return true;
    }
    return false;
  }
}

function fieldOf(object: AttributeValue | undefined, key: string): AttributeValue | undefined {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return undefined;
  return Object.hasOwn(object, key)
    ? (object as { [key: string]: AttributeValue })[key]
    : undefined;
}
