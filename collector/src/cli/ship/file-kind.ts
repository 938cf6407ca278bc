import { ENCODING_MARKS, findEncoding } from "./text-encoding.ts";

/** `unknown`: too little is there to tell. */
export type FileKind = "text" | "gzip" | "zstd" | "binary" | "unknown";

/** So many bytes are looked at. */
export const HEAD_BYTES = 1024;
const MAGIC_BYTES_MAX = 4;

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** With byte order marks, of which half is no text. */
const MAGICS = [GZIP, ZSTD, ...ENCODING_MARKS];
const NUL = 0;

/**
 * What a file holds, by its first bytes (RFC 1952 §2.3.1, RFC 8878 §3.1.1). NUL bytes make it
 * binary, but for those at its very start: a writer that does not append leaves a hole there after
 * its file was truncated.
 */
export function findFileKind(head: Buffer): FileKind {
  if (head.length === 0) return "unknown";
  if (head.subarray(0, GZIP.length).equals(GZIP)) return "gzip";
  if (head.subarray(0, ZSTD.length).equals(ZSTD)) return "zstd";
  if (head.length < MAGIC_BYTES_MAX && MAGICS.some((magic) => isStartOf(head, magic)))
    return "unknown";
  if (findEncoding(head).encoding !== "utf8") return "text";
  const text = head.findIndex((byte) => byte !== NUL);
  return text >= 0 && head.indexOf(NUL, text) >= 0 ? "binary" : "text";
}

function isStartOf(head: Buffer, magic: Buffer): boolean {
  return head.length < magic.length && magic.subarray(0, head.length).equals(head);
}
