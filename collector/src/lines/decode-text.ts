import { isUtf8 } from "node:buffer";

/**
 * A line as text. Bytes that are no UTF-8 are read as ISO 8859-1, as old programs mean them, so
 * that each of them is kept and can be told from the others.
 */
export function decodeText(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? "utf8" : "latin1");
}
