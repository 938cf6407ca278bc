const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const FIRST_PRINTABLE = 0x20;
const NOTHING = -1;

/** Values deep that a passed-over value may nest: it keeps the recursion within the stack. */
export const SKIP_DEPTH_MAX = 100;
/** The longest text that a double needs has some 1100 characters. */
export const NUMBER_CHARACTERS_MAX = 1200;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The same few keys come again and again: a slot for each saves a native call per key. */
const KEY_SLOTS = 256;
const KEY_CHARACTERS_MAX = 32;

export interface ByteRange {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null" | "nothing";

/** Why the text is not JSON; `JsonScanner` knows no path, so its user adds that. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
}

/**
 * A cursor over JSON text (RFC 8259), given as bytes known to be UTF-8. It builds no tree, for a
 * tree takes up to twenty times the memory of its text, and it keeps numbers as they were written,
 * for a double would round nanoseconds.
 */
export class JsonScanner {
  private readonly text: Buffer;
  private readonly keys: (string | undefined)[] = new Array(KEY_SLOTS).fill(undefined);
  private position = 0;

  constructor(text: Buffer) {
    this.text = text;
  }

  /** What the next value is, by its first character. */
  kind(): JsonKind {
    const byte = this.peek();
    if (byte === OPEN_BRACE) return "object";
    if (byte === OPEN_BRACKET) return "array";
    if (byte === QUOTE) return "string";
    if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return "number";
    if (byte === 0x74 || byte === 0x66) return "boolean";
    if (byte === 0x6e) return "null";
    if (byte === NOTHING) return "nothing";
    throw this.unexpected("a value");
  }

  /** Calls back for each member of an object; the callback must read the member's value. */
  object(onMember: (key: string) => void): void {
    this.take(OPEN_BRACE, "{");
    if (this.takeIf(CLOSE_BRACE)) return;
    do {
      if (this.peek() !== QUOTE) throw this.unexpected("a key in quotes");
      const key = this.key();
      this.take(COLON, ":");
      onMember(key);
    } while (this.takeIf(COMMA));
    this.take(CLOSE_BRACE, ", or }");
  }

  /** Calls back for each element of an array; the callback must read the element. */
  array(onElement: (index: number) => void): void {
    this.take(OPEN_BRACKET, "[");
    if (this.takeIf(CLOSE_BRACKET)) return;
    let index = 0;
    do onElement(index++);
    while (this.takeIf(COMMA));
    this.take(CLOSE_BRACKET, ", or ]");
  }

  string(): string {
    const start = this.peekAt();
    const isPlain = this.passString();
    if (isPlain) return this.text.toString("utf8", start + 1, this.position - 1);
    return this.unescape(start);
  }

  /** A string as UTF-8, in the text where nothing is escaped; a lone surrogate becomes U+FFFD. */
  stringBytes(): ByteRange {
    const start = this.peekAt();
    if (this.passString()) return { bytes: this.text, start: start + 1, end: this.position - 1 };
    const bytes = Buffer.from(this.unescape(start));
    return { bytes, start: 0, end: bytes.length };
  }

  /** A number as it is written. */
  number(): string {
    const start = this.peekAt();
    let at = start;
    while (at < this.text.length && isNumberCharacter(this.text[at] as number)) at++;
    if (at - start > NUMBER_CHARACTERS_MAX) throw this.unexpected("a number of sensible length");
    const written = this.text.toString("latin1", start, at);
    if (!NUMBER.test(written)) throw new JsonSyntaxError(`no number stands at byte ${start}`);
    this.position = at;
    return written;
  }

  boolean(): boolean {
    const isTrue = this.peek() === 0x74;
    this.word(isTrue ? "true" : "false");
    return isTrue;
  }

  null(): void {
    this.word("null");
  }

  /** Passes over a value of any kind. */
  skip(depth = 1): void {
    const kind = this.kind();
    if (depth > SKIP_DEPTH_MAX) {
      throw new JsonSyntaxError(`values are nested deeper than ${SKIP_DEPTH_MAX}`);
    }
    if (kind === "object") this.object(() => this.skip(depth + 1));
    else if (kind === "array") this.array(() => this.skip(depth + 1));
    else if (kind === "string") this.passString();
    else if (kind === "number") this.number();
    else if (kind === "boolean") this.boolean();
    else if (kind === "null") this.null();
    else throw this.unexpected("a value");
  }

  end(): void {
    if (this.peek() !== NOTHING) throw this.unexpected("the end");
  }

  private key(): string {
    const { text } = this;
    const start = this.peekAt() + 1;
    if (!this.passString()) return this.unescape(start - 1);
    const end = this.position - 1;
    const length = end - start;
    if (length === 0 || length > KEY_CHARACTERS_MAX) return text.toString("utf8", start, end);
    const letters = (text[start] as number) * 31 + (text[end - 1] as number) * 7;
    const slot = (length * 61 + letters) % KEY_SLOTS;
    const cached = this.keys[slot];
    if (cached !== undefined && this.isAt(start, length, cached)) return cached;
    const key = text.toString("utf8", start, end);
    // A key that is not ASCII has fewer characters than bytes, and cannot be compared so.
    if (key.length === length) this.keys[slot] = key;
    return key;
  }

  private isAt(start: number, length: number, key: string): boolean {
    if (key.length !== length) return false;
    for (let i = 0; i < length; i++) {
      if (this.text[start + i] !== key.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Steps behind a string; whether its bytes stand for themselves. */
  private passString(): boolean {
    const { text } = this;
    const start = this.peekAt();
    let isPlain = true;
    for (let at = start + 1; at < text.length; at++) {
      const byte = text[at] as number;
      if (byte === QUOTE) {
        this.position = at + 1;
        return isPlain;
      }
      if (byte === BACKSLASH) {
        isPlain = false;
        at++;
      } else if (byte < FIRST_PRINTABLE) {
        throw new JsonSyntaxError(`a control character stands in a string at byte ${at}`);
      }
    }
    throw new JsonSyntaxError(`the string that starts at byte ${start} does not end`);
  }

  private unescape(start: number): string {
    try {
      return String(JSON.parse(this.text.toString("utf8", start, this.position)));
    } catch (cause) {
      throw new JsonSyntaxError(`a string at byte ${start} has an unknown escape`, { cause });
    }
  }

  private word(word: string): void {
    const start = this.peekAt();
    const end = start + word.length;
    if (this.text.toString("latin1", start, end) !== word) throw this.unexpected(word);
    this.position = end;
  }

  private take(byte: number, name: string): void {
    if (!this.takeIf(byte)) throw this.unexpected(name);
  }

  private takeIf(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.position++;
    return true;
  }

  private peekAt(): number {
    this.peek();
    return this.position;
  }

  /** The next byte that is not white space, or NOTHING. */
  private peek(): number {
    const { text } = this;
    while (this.position < text.length) {
      const byte = text[this.position] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.position++;
    }
    return NOTHING;
  }

  private unexpected(wanted: string): JsonSyntaxError {
    const found =
      this.peek() === NOTHING ? "the text ends" : `byte ${this.position} is something else`;
    return new JsonSyntaxError(`${wanted} is expected where ${found}`);
  }
}

/** Digits, signs, points and exponents; and letters, so that `12abc` is refused as a whole. */
function isNumberCharacter(byte: number): boolean {
  if (byte >= ZERO && byte <= NINE) return true;
  if (byte === MINUS || byte === 0x2b || byte === 0x2e) return true;
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
