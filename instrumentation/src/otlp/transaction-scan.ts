import { ATTRIBUTE } from "../wire-names.ts";

const KEY = Buffer.from(ATTRIBUTE.transactionId);
const IDS_MAX = 1000;
/** AnyValue field of a KeyValue, and the string field of an AnyValue. */
const VALUE_TAG = 0x12;
const STRING_TAG = 0x0a;

/**
 * The transaction IDs that encoded records name, for the account of what is dropped. Reading them
 * back from the bytes costs nothing as long as nothing is lost. At most a thousand.
 */
export function findTransactionIds(parts: readonly Uint8Array[]): Set<string> {
  const ids = new Set<string>();
  for (const part of parts) {
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    let at = bytes.indexOf(KEY);
    while (at !== -1 && ids.size < IDS_MAX) {
      const id = idAfter(bytes, at + KEY.length);
      if (id !== undefined) ids.add(id);
      at = bytes.indexOf(KEY, at + KEY.length);
    }
  }
  return ids;
}

/** What follows the key: 0x12, length, 0x0a, length, text; an ID's lengths are single bytes. */
function idAfter(bytes: Buffer, at: number): string | undefined {
  if (bytes[at] !== VALUE_TAG || bytes[at + 2] !== STRING_TAG) return undefined;
  const length = bytes[at + 3] ?? 0;
  return bytes.toString("utf8", at + 4, at + 4 + length);
}
