import type { ProtobufReader } from "../../otlp/protobuf-reader.ts";
import type { AttributeValue } from "../../record.ts";
import { readAnyValue } from "../embedded/any-value.ts";
import { findNumber } from "../query-language/number-values.ts";
import { INDEXED_CHARACTERS_MAX } from "./document-attributes.ts";
import type { JsonBuffer } from "./json-buffer.ts";
import { isNumberText, writeSortableNumber } from "./json-number.ts";

/** Fields of `KeyValue` and `AnyValue` (opentelemetry/proto/common/v1), with their wire types. */
const TAG = { key: 0x0a, value: 0x12 } as const;
const VALUE = { string: 0x0a, bool: 0x10, int: 0x18, double: 0x21, list: 0x2a } as const;

/** Records with more are written the other way, where the names are kept in a map. */
const ATTRIBUTES_MAX = 64;
const KEY_BYTES_MAX = 256;
const NUMBER_CHARACTERS_MAX = 40;
const DOUBLE_BYTES = 9;
/** Seven bits each: 49 bits are exact as a double. */
const VARINT_BYTES_MAX = 7;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const END_OBJECT = 0x7d;
const DELETE = 0x7f;

const ATTRIBUTES_START = Buffer.from(',"attributes":{');
const NUMBERS_START = Buffer.from(',"numbers":{');
const NULL = Buffer.from("null");
const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");
const EVENT_NAME_JSON = Buffer.from('"event.name"');

/** By byte: 0 where it may stand in a name of ASCII as it is. */
const UNUSUAL_IN_NAME = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < SPACE || byte >= DELETE || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);

/**
 * Writes the attributes of one record after another, as they come in its message. It knows what
 * nearly all attributes are: ASCII names, each of them once, and values that are no maps. Whatever
 * else it meets it leaves to the slower way (`add` answers false), so that nothing is ever guessed.
 */
export class JsonAttributes {
  readonly #nameMarks = new Int32Array(ATTRIBUTES_MAX);
  readonly #nameStarts = new Int32Array(ATTRIBUTES_MAX);
  readonly #numberStarts = new Int32Array(ATTRIBUTES_MAX);
  readonly #numberEnds = new Int32Array(ATTRIBUTES_MAX);
  readonly #numbers = new Float64Array(ATTRIBUTES_MAX);
  #count = 0;
  #numberCount = 0;
  #hasEventName = false;
  /** Of the `KeyValue` under way; the value's at its length, or −1 where it has none. */
  #keyStart = 0;
  #keyEnd = 0;
  #valueAt = -1;
  /** Where the last name lies in what was written, with its quotes. */
  #nameStart = 0;
  #nameEnd = 0;
  /** Names of those whose values are too long for the index. */
  readonly unindexed: string[] = [];

  begin(): void {
    this.#count = 0;
    this.#numberCount = 0;
    this.#hasEventName = false;
    if (this.unindexed.length > 0) this.unindexed.length = 0;
  }

  /** Reads the `KeyValue` at the cursor; false where it has to be written in the slower way. */
  add(out: JsonBuffer, reader: ProtobufReader): boolean {
    const outer = reader.end;
    const end = reader.enter();
    reader.end = end;
    if (!this.#enterInOrder(reader, end) && !this.#enter(reader, end)) return false;
    reader.position = this.#keyStart;
    if (!this.#writeName(out, reader, this.#keyEnd)) return false;
    reader.position = this.#valueAt;
    if (this.#valueAt < 0) out.raw(NULL);
    else if (!this.#writeValue(out, reader)) return false;
    reader.position = end;
    reader.end = outer;
    return true;
  }

  /** Finds name and value where they come in this order, and are short: as nearly always. */
  #enterInOrder({ buffer, position }: ProtobufReader, end: number): boolean {
    const keyBytes = buffer[position + 1] as number;
    const keyStart = position + 2;
    const keyEnd = keyStart + keyBytes;
    const valueBytes = buffer[keyEnd + 1] as number;
    if (buffer[position] !== TAG.key || keyBytes >= 0x80) return false;
    if (buffer[keyEnd] !== TAG.value || valueBytes >= 0x80) return false;
    if (keyEnd + 2 + valueBytes !== end) return false;
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    this.#valueAt = keyEnd + 1;
    return true;
  }

  #enter(reader: ProtobufReader, end: number): boolean {
    this.#keyStart = reader.position;
    this.#keyEnd = reader.position;
    this.#valueAt = -1;
    while (reader.position < end) {
      const tag = reader.tag();
      const at = reader.position;
      if (tag !== TAG.key && tag !== TAG.value) return false;
      if (tag === TAG.value && this.#valueAt >= 0) return false;
      const fieldEnd = reader.enter();
      if (tag === TAG.value) {
        this.#valueAt = at;
      } else {
        this.#keyStart = reader.position;
        this.#keyEnd = fieldEnd;
      }
      reader.position = fieldEnd;
    }
    return true;
  }

  /** An event's name, where its field says it and no attribute does; the cursor before it. */
  addEventName(out: JsonBuffer, reader: ProtobufReader): boolean {
    const end = reader.enter();
    if (this.#hasEventName || reader.position === end) return true;
    if (this.#count === ATTRIBUTES_MAX) return false;
    if (this.#count++ === 0) out.raw(ATTRIBUTES_START);
    else out.byte(COMMA);
    this.#nameStart = out.length;
    out.raw(EVENT_NAME_JSON);
    this.#nameEnd = out.length;
    out.byte(COLON);
    this.#writeString(out, reader, end);
    return true;
  }

  finish(out: JsonBuffer): void {
    if (this.#count > 0) out.byte(END_OBJECT);
    if (this.#numberCount === 0) return;
    out.raw(NUMBERS_START);
    for (let index = 0; index < this.#numberCount; index++) {
      if (index > 0) out.byte(COMMA);
      const start = this.#numberStarts[index] as number;
      const end = this.#numberEnds[index] as number;
      out.again(start, end);
      out.byte(COLON);
      writeSortableNumber(out, this.#numbers[index] as number);
    }
    out.byte(END_OBJECT);
  }

  #writeName(out: JsonBuffer, reader: ProtobufReader, end: number): boolean {
    const { buffer, position: start } = reader;
    if (this.#count === ATTRIBUTES_MAX || end - start > KEY_BYTES_MAX) return false;
    if (this.#count === 0) out.raw(ATTRIBUTES_START);
    else out.byte(COMMA);
    out.reserve(end - start + 3);
    const target = out.bytes;
    const nameStart = out.length;
    let to = nameStart;
    let unusual = 0;
    target[to++] = QUOTE;
    for (let at = start; at < end; at++) {
      const byte = buffer[at] as number;
      unusual |= UNUSUAL_IN_NAME[byte] as number;
      target[to++] = byte;
    }
    target[to++] = QUOTE;
    if (unusual !== 0 || this.#isKnownName(target, nameStart, to)) return false;
    this.#nameStart = nameStart;
    this.#nameEnd = to;
    target[to++] = COLON;
    out.length = to;
    return true;
  }

  /** Notes the name, unless it was there before: of two values the last counts. */
  #isKnownName(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start;
    // Names that are alike in length, middle and end are few: only those are compared.
    const middle = bytes[start + (length >> 1)] as number;
    const mark = (length << 16) | (middle << 8) | (bytes[end - 2] as number);
    for (let index = 0; index < this.#count; index++) {
      if (this.#nameMarks[index] !== mark) continue;
      const other = this.#nameStarts[index] as number;
      if (bytes.compare(bytes, other, other + length, start, end) === 0) return true;
    }
    if (
      length === EVENT_NAME_JSON.length &&
      bytes[start + 1] === EVENT_NAME_JSON[1] &&
      bytes.compare(EVENT_NAME_JSON, 0, length, start, end) === 0
    ) {
      this.#hasEventName = true;
    }
    this.#nameMarks[this.#count] = mark;
    this.#nameStarts[this.#count++] = start;
    return false;
  }

  /** The cursor stands before the length of an `AnyValue`. */
  #writeValue(out: JsonBuffer, reader: ProtobufReader): boolean {
    const at = reader.position;
    const end = reader.enter();
    const { buffer, position: start } = reader;
    if (start === end) {
      out.raw(NULL);
      return true;
    }
    const tag = buffer[start];
    reader.position = start + 1;
    if (tag === VALUE.string) {
      if (reader.enter() !== end) return false;
      this.#writeString(out, reader, end);
      return true;
    }
    if (tag === VALUE.int) return this.#writeInteger(out, reader, end);
    if (tag === VALUE.bool) {
      if (end - start !== 2 || (buffer[start + 1] as number) >= 0x80) return false;
      out.raw(buffer[start + 1] === 0 ? FALSE : TRUE);
      return true;
    }
    if (tag === VALUE.double && end - start === DOUBLE_BYTES) {
      this.#writeDouble(out, reader.double());
      return true;
    }
    reader.position = at;
    return tag === VALUE.list && writeTexts(out, readAnyValue(reader));
  }

  #writeString(out: JsonBuffer, { buffer, position: start }: ProtobufReader, end: number): void {
    out.string(buffer, start, end);
    const length = end - start;
    if (length > INDEXED_CHARACTERS_MAX) {
      this.unindexed.push(out.bytes.toString("latin1", this.#nameStart + 1, this.#nameEnd - 1));
    } else if (length <= NUMBER_CHARACTERS_MAX && isNumberText(buffer, start, end)) {
      const number = findNumber(buffer.toString("latin1", start, end));
      if (number !== undefined) this.#noteNumber(number);
    }
  }

  #writeInteger(out: JsonBuffer, reader: ProtobufReader, end: number): boolean {
    const { buffer, position: start } = reader;
    if (end - start > VARINT_BYTES_MAX) {
      const value = reader.varint64();
      if (reader.position !== end) return false;
      const number = Number(value);
      if (Number.isSafeInteger(number)) out.utf8(String(number));
      else out.text(String(value));
      this.#noteNumber(number);
      return true;
    }
    let value = 0;
    let factor = 1;
    for (let at = start; at < end; at++) {
      const byte = buffer[at] as number;
      const isLast = at === end - 1;
      if (byte >= 0x80 === isLast) return false;
      value += (byte & 0x7f) * factor;
      factor *= 0x80;
    }
    if (start === end) return false;
    out.unsigned(value);
    this.#noteNumber(value);
    return true;
  }

  #writeDouble(out: JsonBuffer, value: number): void {
    if (!Number.isFinite(value)) {
      out.text(String(value));
      return;
    }
    out.utf8(String(value));
    this.#noteNumber(value);
  }

  /** Of the attribute whose name was written last. */
  #noteNumber(value: number): void {
    const index = this.#numberCount++;
    this.#numberStarts[index] = this.#nameStart;
    this.#numberEnds[index] = this.#nameEnd;
    this.#numbers[index] = value;
  }
}

/** A list of texts that are no numbers, and of truth values: what most lists are. */
function writeTexts(out: JsonBuffer, list: AttributeValue): boolean {
  if (!Array.isArray(list)) return false;
  const isPlain = list.every((element) =>
    typeof element === "string"
      ? element.length <= INDEXED_CHARACTERS_MAX && findNumber(element) === undefined
      : typeof element === "boolean",
  );
  if (isPlain) out.utf8(JSON.stringify(list));
  return isPlain;
}
