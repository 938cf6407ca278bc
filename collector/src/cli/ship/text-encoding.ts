export type TextEncoding = "utf8" | "utf16le" | "utf16be";

export interface FoundEncoding {
  readonly encoding: TextEncoding;
  /** Bytes of the byte order mark, which are no text. */
  readonly markBytes: number;
}

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16LE_MARK = Buffer.from([0xff, 0xfe]);
const UTF16BE_MARK = Buffer.from([0xfe, 0xff]);
/** Byte order marks (Unicode 16.0, §23.8). */
export const ENCODING_MARKS: readonly Buffer[] = [UTF8_MARK, UTF16LE_MARK, UTF16BE_MARK];

const decoders = {
  utf16le: new TextDecoder("utf-16le", { ignoreBOM: true }),
  utf16be: new TextDecoder("utf-16be", { ignoreBOM: true }),
} as const;

/** What the byte order mark at the start of a file says; without one it is UTF-8. */
export function findEncoding(head: Buffer): FoundEncoding {
  if (startsWith(head, UTF8_MARK)) return { encoding: "utf8", markBytes: UTF8_MARK.length };
  if (startsWith(head, UTF16LE_MARK)) return { encoding: "utf16le", markBytes: 2 };
  if (startsWith(head, UTF16BE_MARK)) return { encoding: "utf16be", markBytes: 2 };
  return { encoding: "utf8", markBytes: 0 };
}

/** What is no character of the encoding becomes U+FFFD. */
export function decodeText(bytes: Buffer, encoding: TextEncoding): string {
  return encoding === "utf8" ? bytes.toString("utf8") : decoders[encoding].decode(bytes);
}

function startsWith(bytes: Buffer, mark: Buffer): boolean {
  return bytes.subarray(0, mark.length).equals(mark);
}
