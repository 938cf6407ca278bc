import type { JsonKeys } from "./json-keys.ts";
import { isJsonNumber, isNumberCharacter, NUMBER_CHARACTERS_MAX } from "./json-number.ts";
import { JsonText } from "./json-text.ts";
import type { WholeNumber } from "./whole-number.ts";

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
const SPACE = 0x20;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;
const NOTHING = -1;

/** Values deep that a passed-over value may nest: it keeps the recursion within the stack. */
export const SKIP_DEPTH_MAX = 100;

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
  readonly json: JsonText;
  /** Where the bytes of the string stand that `passString` or `string` read last. */
  stringStart = 0;
  stringEnd = 0;
  private readonly text: Buffer;
  private readonly length: number;
  private position = 0;

  constructor(text: Buffer) {
    this.text = text;
    this.length = text.length;
    this.json = new JsonText(text);
  }

  /** What the next value is, by its first character. */
  kind(): JsonKind {
    const byte = this.peek();
    if (byte === OPEN_BRACE) return "object";
    if (byte === OPEN_BRACKET) return "array";
    if (byte === QUOTE) return "string";
    if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return "number";
    if (byte === LETTER_T || byte === LETTER_F) return "boolean";
    if (byte === LETTER_N) return "null";
    if (byte === NOTHING) return "nothing";
    throw this.unexpected("a value");
  }

  isString(): boolean {
    return this.peek() === QUOTE;
  }

  isNull(): boolean {
    return this.peek() === LETTER_N;
  }

  /** Steps into an object; false, with nothing read, where none stands. */
  beginObject(): boolean {
    return this.takeIf(OPEN_BRACE);
  }

  /** To be asked once, after `beginObject`; steps behind the object where it has no member. */
  isEmptyObject(): boolean {
    return this.takeIf(CLOSE_BRACE);
  }

  /** After a member: whether one more follows; steps behind the object where none does. */
  hasNextMember(): boolean {
    if (this.takeIf(COMMA)) return true;
    this.take(CLOSE_BRACE, ", or }");
    return false;
  }

  /** Steps into an array; false, with nothing read, where none stands. */
  beginArray(): boolean {
    return this.takeIf(OPEN_BRACKET);
  }

  /** To be asked once, after `beginArray`; steps behind the array where it has no element. */
  isEmptyArray(): boolean {
    return this.takeIf(CLOSE_BRACKET);
  }

  /** After an element: whether one more follows; steps behind the array where none does. */
  hasNextElement(): boolean {
    if (this.takeIf(COMMA)) return true;
    this.take(CLOSE_BRACKET, ", or ]");
    return false;
  }

  /** Steps behind a key of `keys` and its colon, and answers its index; -1 for any other key. */
  knownKey(keys: JsonKeys, expected: number): number {
    if (this.peek() !== QUOTE) throw this.unexpected("a key in quotes");
    const start = this.position + 1;
    const index = keys.find(this.json, start, expected);
    if (index < 0) return index;
    this.position = start + keys.length(index);
    this.take(COLON, ":");
    return index;
  }

  /** A key, which the cursor steps behind, and behind its colon. */
  key(): string {
    if (this.peek() !== QUOTE) throw this.unexpected("a key in quotes");
    const key = this.string();
    this.take(COLON, ":");
    return key;
  }

  string(): string {
    if (!this.passString()) return this.passedString();
    return this.text.toString("utf8", this.stringStart, this.stringEnd);
  }

  /**
   * Steps behind a string. Whether its bytes, from `stringStart` to `stringEnd`, stand for
   * themselves: where not, `passedString` tells what they say.
   */
  passString(): boolean {
    const { json, text, length } = this;
    const start = this.peekAt();
    this.stringStart = start + 1;
    let isPlain = true;
    for (let at = json.plainEnd(start + 1); at < length; at = json.plainEnd(at)) {
      const byte = text[at] as number;
      if (byte === QUOTE) {
        this.stringEnd = at;
        this.position = at + 1;
        return isPlain;
      }
      if (byte !== BACKSLASH) {
        throw new JsonSyntaxError(`a control character stands in a string at byte ${at}`);
      }
      isPlain = false;
      at += 2;
    }
    throw new JsonSyntaxError(`the string that starts at byte ${start} does not end`);
  }

  /** What `passString` stepped over; half a surrogate pair stays. */
  passedString(): string {
    const start = this.stringStart - 1;
    try {
      return String(JSON.parse(this.text.toString("utf8", start, this.position)));
    } catch (cause) {
      throw new JsonSyntaxError(`a string at byte ${start} has an unknown escape`, { cause });
    }
  }

  /**
   * A whole number of at most 20 digits, in quotes or not; false, with nothing read, where
   * something else stands, be it the same number written in another way.
   */
  whole(into: WholeNumber): boolean {
    const { text, length } = this;
    const isQuoted = this.peek() === QUOTE;
    const start = isQuoted ? this.position + 1 : this.position;
    const end = into.read(text, start);
    if (end < 0 || end === length) return false;
    const next = text[end] as number;
    if (isQuoted) {
      if (next !== QUOTE) return false;
      this.position = end + 1;
      return true;
    }
    const first = into.isNegative ? start + 1 : start;
    if (isNumberCharacter(next) || (text[first] === ZERO && end > first + 1)) return false;
    this.position = end;
    return true;
  }

  /** A number as it is written. */
  number(): string {
    const start = this.peekAt();
    let at = start;
    while (at < this.text.length && isNumberCharacter(this.text[at] as number)) at++;
    if (at - start > NUMBER_CHARACTERS_MAX) throw this.unexpected("a number of sensible length");
    const written = this.text.toString("latin1", start, at);
    if (!isJsonNumber(written)) throw new JsonSyntaxError(`no number stands at byte ${start}`);
    this.position = at;
    return written;
  }

  boolean(): boolean {
    const isTrue = this.peek() === LETTER_T;
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
    if (kind === "object") this.skipObject(depth);
    else if (kind === "array") this.skipArray(depth);
    else if (kind === "string") this.passString();
    else if (kind === "number") this.number();
    else if (kind === "boolean") this.boolean();
    else if (kind === "null") this.null();
    else throw this.unexpected("a value");
  }

  end(): void {
    if (this.peek() !== NOTHING) throw this.unexpected("the end");
  }

  private skipObject(depth: number): void {
    this.beginObject();
    if (this.isEmptyObject()) return;
    do {
      this.key();
      this.skip(depth + 1);
    } while (this.hasNextMember());
  }

  private skipArray(depth: number): void {
    this.beginArray();
    if (this.isEmptyArray()) return;
    do this.skip(depth + 1);
    while (this.hasNextElement());
  }

  private word(word: string): void {
    const start = this.peekAt();
    for (let i = 0; i < word.length; i++) {
      if (this.text[start + i] !== word.charCodeAt(i)) throw this.unexpected(word);
    }
    this.position = start + word.length;
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
    if (this.position < this.length) {
      const byte = this.text[this.position] as number;
      if (byte > SPACE) return byte;
    }
    return this.peekBehindSpace();
  }

  private peekBehindSpace(): number {
    const { text, length } = this;
    while (this.position < length) {
      const byte = text[this.position] as number;
      if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
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
