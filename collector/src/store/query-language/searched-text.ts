/** The text of a record that words are searched in, told from the record as it is read back. */
import { ATTRIBUTE, SEMANTIC } from "@clew/instrumentation/names";
import { TEXT_BYTES_MAX } from "../../indexer/any-value.ts";
import type { AttributeValue, StoredRecord } from "../../record.ts";

export type SearchedRecord = Pick<StoredRecord, "kind" | "message" | "body" | "attributes">;

/** As the indexer bounds a body that is no string. */
const DEPTH_MAX = 32;
const VALUES_MAX = 10_000;
const DEPTH_OF_ELEMENT = 2;
const DEPTH_OF_PAIR = 3;
const ELLIPSIS = "…";

/**
 * What the indexer made of the record for full-text search (log-decoder.ts): a span's name; a log's
 * body, or its event's name where that is empty, and with it what was thrown. It read the bytes, so
 * that it may know better where a record has two bodies, one key twice, or an event's name or an
 * exception that is neither a text nor a whole number.
 */
export function searchedText({ kind, message, body, attributes }: SearchedRecord): string {
  if (kind === "span") return cutBytes(message);
  const text = body === null ? cutBytes(message) : textOfBody(body);
  return withException(text || scalarText(attributes[ATTRIBUTE.eventName]), attributes);
}

function textOfBody(body: AttributeValue): string {
  return JSON.stringify(bounded(body, 0, { left: VALUES_MAX })).slice(0, TEXT_BYTES_MAX);
}

function bounded(value: AttributeValue, depth: number, bounds: { left: number }): AttributeValue {
  if (depth > DEPTH_MAX || bounds.left-- <= 0) return ELLIPSIS;
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) {
    const values: AttributeValue[] = [];
    for (const element of value) {
      if (bounds.left <= 0) break;
      values.push(bounded(element, depth + DEPTH_OF_ELEMENT, bounds));
    }
    return values;
  }
  const entries: [string, AttributeValue][] = [];
  for (const [key, inner] of Object.entries(value)) {
    if (bounds.left <= 0) break;
    entries.push([key, bounded(inner, depth + DEPTH_OF_PAIR, bounds)]);
  }
  return Object.fromEntries(entries);
}

function withException(text: string, attributes: StoredRecord["attributes"]): string {
  const [type, message, stack] = [
    attributes[SEMANTIC.exceptionType],
    attributes[SEMANTIC.exceptionMessage],
    attributes[SEMANTIC.exceptionStacktrace],
  ];
  const hasMessage = type !== undefined || message !== undefined;
  if (!hasMessage && stack === undefined) return text;
  const parts = hasMessage ? [type, message] : [stack];
  const found = parts.map(scalarText).filter((part) => part !== "");
  const thrown = hasMessage ? found.join(": ") : (found[0]?.split("\n", 1)[0] ?? "");
  if (thrown === "" || text.includes(thrown)) return text;
  return text === "" ? thrown : `${text}\n${thrown}`;
}

/** A string, or a whole number in digits. */
function scalarText(value: AttributeValue | undefined): string {
  if (typeof value === "string") return cutBytes(value);
  return Number.isInteger(value) ? String(value) : "";
}

/** At most `TEXT_BYTES_MAX` bytes of UTF-8, cut between characters. */
function cutBytes(text: string): string {
  if (text.length * 3 <= TEXT_BYTES_MAX) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= TEXT_BYTES_MAX) return text;
  let cut = TEXT_BYTES_MAX;
  while (cut > 0 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut--;
  return bytes.toString("utf8", 0, cut);
}

function isList(value: object): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
