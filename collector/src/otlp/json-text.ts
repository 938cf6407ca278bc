const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
export const WORD_BYTES = 4;

/**
 * JSON text as bytes, and as words of four bytes. It keeps its length, for which a DataView takes a
 * call.
 */
export class JsonText {
  readonly bytes: Buffer;
  readonly length: number;
  private readonly view: DataView;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.length = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The four bytes from `at`, which are all within the text. */
  word(at: number): number {
    return this.view.getInt32(at, true);
  }

  /**
   * The first quote, backslash or control character at or after `from`, or the text's end. Four
   * bytes are looked at together, for most of a request is text.
   */
  plainEnd(from: number): number {
    const { bytes, length } = this;
    let at = from;
    for (const last = length - WORD_BYTES; at <= last; at += WORD_BYTES) {
      const marks = marksOf(this.word(at));
      if (marks !== 0) return at + ((31 - Math.clz32(marks & -marks)) >> 3);
    }
    while (at < length && isPlain(bytes[at] as number)) at++;
    return at;
  }
}

/**
 * Not 0 where one of four bytes is a quote, a backslash or a control character; the lowest bit that
 * is set is the highest of the first such byte. (`x - 1 & ~x` has a byte's highest bit where that
 * byte is 0, and then perhaps in higher bytes, for the borrow; `- 0x20` where it is below 0x20.)
 */
function marksOf(word: number): number {
  const quotes = word ^ 0x22222222;
  const backslashes = word ^ 0x5c5c5c5c;
  const marks =
    ((word - 0x20202020) & ~word) |
    ((quotes - 0x01010101) & ~quotes) |
    ((backslashes - 0x01010101) & ~backslashes);
  return marks & 0x80808080;
}

function isPlain(byte: number): boolean {
  return byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH;
}
