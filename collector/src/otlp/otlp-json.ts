import { isUtf8 } from "node:buffer";
import { ClewError } from "../errors.ts";
import { NUMBER_CHARACTERS_MAX } from "./json-number.ts";
import { JsonScanner, JsonSyntaxError } from "./json-scanner.ts";
import {
  type FieldSchema,
  MESSAGE_DEPTH_MAX,
  MESSAGE_SCHEMAS,
  type MessageSchema,
  REQUEST_SCHEMA,
  type Scalar,
} from "./message-schema.ts";
import type { Signal } from "./otlp-schema.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { WholeNumber, type WholeRange, wholeRange } from "./whole-number.ts";

/**
 * An OTLP/JSON export request ("JSON Protobuf Encoding" of OTLP 1.11) as protobuf.
 *
 * Ids are hex, other bytes base64; 64-bit integers are strings or numbers and stay exact. Unknown
 * members are passed over, as the specification demands. More is taken than a client may send, for
 * a refusal would cost it the whole request: enum names beside numbers, snake_case beside
 * lowerCamelCase (both as other receivers do), and half a surrogate pair becomes U+FFFD.
 *
 * @throws ClewError REQUEST_MALFORMED with the path of what is wrong; REQUEST_TOO_LARGE where the
 * protobuf is larger than `maxBytes`.
 */
export function otlpJsonToProtobuf(request: {
  signal: Signal;
  json: Buffer;
  maxBytes: number;
}): Buffer {
  if (!isUtf8(request.json)) throw malformed("$", "the text is not UTF-8");
  const writing = new Transcoder(request.json, request.maxBytes);
  const written = writing.request(REQUEST_SCHEMA[request.signal]);
  if (written.buffer !== scratch.buffer) return written;
  const own = Buffer.allocUnsafe(written.length);
  written.copy(own);
  return own;
}

/** Protobuf takes about this share of the JSON; the buffer grows where it takes more. */
const EXPECTED_SHARE = 0.75;
/** Where requests are written that need no more; what is made of them is copied to its size. */
const SCRATCH_BYTES = 2 * 1024 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
const INTEGER_CHARACTERS_MAX = 24;
/** What may not be there: a search that cannot backtrack, however long the text is. */
const NOT_BASE64 = /[^A-Za-z0-9+/_-]/;
const BASE64_PADDING = /={1,2}$/;
const INTEGER = /^-?\d+$/;
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const INT32 = wholeRange(-(2n ** 31n), 2n ** 31n - 1n);
const UINT32 = wholeRange(0n, 2n ** 32n - 1n);
const INT64 = wholeRange(-(2n ** 63n), 2n ** 63n - 1n);
const UINT64 = wholeRange(0n, 2n ** 64n - 1n);
const WHOLE_RANGE: Partial<Record<Scalar, WholeRange>> = {
  int32: INT32,
  sint32: INT32,
  enum: INT32,
  uint32: UINT32,
  fixed32: UINT32,
  int64: INT64,
  sfixed64: INT64,
  uint64: UINT64,
  fixed64: UINT64,
};
/** Stands in the path where no element of an array is read. */
const NO_INDEX = -1;

class Transcoder {
  private readonly scanner: JsonScanner;
  private readonly writer: ProtobufWriter;
  private readonly whole = new WholeNumber();
  /** Where the cursor stands: by depth the field, if one is being read, and the index in it. */
  private readonly fields: (FieldSchema | undefined)[] = [];
  private readonly indices: number[] = [];
  /** By message, how many bytes the length of the last one took. */
  private readonly lengthBytes = new Uint8Array(MESSAGE_SCHEMAS.length).fill(1);

  constructor(json: Buffer, maxBytes: number) {
    this.scanner = new JsonScanner(json);
    const expectedBytes = Math.ceil(json.length * EXPECTED_SHARE);
    const memory = expectedBytes > SCRATCH_BYTES ? {} : { buffer: scratch };
    this.writer = new ProtobufWriter({ expectedBytes, maxBytes, ...memory });
  }

  request(schema: MessageSchema): Buffer {
    try {
      this.message(schema, 1);
      this.scanner.end();
    } catch (cause) {
      if (cause instanceof JsonSyntaxError) throw malformed(this.where(), cause.message);
      throw cause;
    }
    return this.writer.finish();
  }

  private message(schema: MessageSchema, depth: number): void {
    const { scanner, fields } = this;
    if (!scanner.beginObject()) throw this.unlike("object");
    if (depth > MESSAGE_DEPTH_MAX) throw this.wrong(`is nested deeper than ${MESSAGE_DEPTH_MAX}`);
    if (scanner.isEmptyObject()) return;
    let expected = 0;
    do {
      let index = scanner.knownKey(schema.jsonKeys, expected);
      if (index < 0) index = scanner.knownKey(schema.snakeKeys, expected);
      const field = index < 0 ? schema.byName.get(scanner.key()) : schema.fields[index];
      if (field === undefined) {
        scanner.skip();
      } else {
        expected = index + 1;
        fields[depth] = field;
        this.field(field, depth);
        fields[depth] = undefined;
      }
    } while (scanner.hasNextMember());
  }

  private field(field: FieldSchema, depth: number): void {
    const { scanner } = this;
    if (scanner.isNull()) scanner.null();
    else if (field.isRepeated) this.elements(field, depth);
    else this.value(field, depth);
  }

  private elements(field: FieldSchema, depth: number): void {
    const { scanner, indices } = this;
    if (!scanner.beginArray()) throw this.unlike("array");
    if (scanner.isEmptyArray()) return;
    let index = 0;
    do {
      indices[depth] = index++;
      this.value(field, depth);
      indices[depth] = NO_INDEX;
    } while (scanner.hasNextElement());
  }

  private value(field: FieldSchema, depth: number): void {
    const { writer } = this;
    writer.varint(field.tag);
    if (field.message !== undefined) {
      const lengthBytes = this.lengthBytes[field.message] as number;
      const opened = writer.open(lengthBytes);
      this.message(MESSAGE_SCHEMAS[field.message] as MessageSchema, depth + 1);
      this.lengthBytes[field.message] = writer.close(opened, lengthBytes);
      return;
    }
    const scalar = field.scalar ?? "bytes";
    if (scalar === "string") this.string();
    else if (scalar === "hex") this.hex();
    else if (scalar === "bytes") writer.bytes(this.base64());
    else if (scalar === "bool") writer.varint(this.boolean() ? 1 : 0);
    else if (scalar === "double") writer.double(this.double());
    else this.integer(field, scalar);
  }

  private integer(field: FieldSchema, scalar: Scalar): void {
    const { whole, writer } = this;
    this.readInteger(field);
    const range = WHOLE_RANGE[scalar] ?? UINT64;
    if (!whole.isWithin(range)) throw this.wrong(`must be from ${range.min} to ${range.max}`);
    const { lowBits, highBits } = whole;
    if (scalar === "fixed64" || scalar === "sfixed64") writer.fixed64Bits(lowBits, highBits);
    else if (scalar === "fixed32") writer.fixed32(lowBits >>> 0);
    else if (scalar === "sint32") writer.varint(zigzag(lowBits));
    else writer.varintBits(lowBits, highBits);
  }

  /** Into `whole`. */
  private readInteger(field: FieldSchema): void {
    const { whole, scanner } = this;
    if (field.enumNames !== undefined && scanner.isString()) {
      const index = field.enumNames.indexOf(scanner.string());
      if (index < 0) throw this.wrong("must be a number, or a name that the enum has");
      whole.set(BigInt(index));
    } else if (!scanner.whole(whole)) {
      const value = findInteger(this.numberText());
      if (value === undefined) throw this.wrong("must be a whole number of at most 64 bits");
      whole.set(value);
    }
  }

  private double(): number {
    const text = this.numberText();
    if (text === "NaN") return Number.NaN;
    if (text === "Infinity" || text === "-Infinity") return Number(text);
    const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) throw this.wrong("must be a number that a double can hold");
    return value;
  }

  /** A number, or a string with one in it. */
  private numberText(): string {
    if (this.scanner.kind() === "number") return this.scanner.number();
    if (!this.scanner.isString()) throw this.unlike("a number");
    const text = this.scanner.string();
    if (text.length > NUMBER_CHARACTERS_MAX)
      throw this.wrong("must be a number of sensible length");
    return text;
  }

  private boolean(): boolean {
    if (this.scanner.kind() !== "boolean") throw this.unlike("boolean");
    return this.scanner.boolean();
  }

  private string(): void {
    const { scanner, writer } = this;
    if (!scanner.isString()) throw this.unlike("string");
    if (scanner.passString()) {
      writer.range(scanner.json, scanner.stringStart, scanner.stringEnd);
    } else {
      writer.string(scanner.passedString());
    }
  }

  private hex(): void {
    const { scanner, writer } = this;
    if (!scanner.isString()) throw this.unlike("string");
    const digits = scanner.passString() ? scanner.json.bytes : Buffer.from(scanner.passedString());
    const isPlain = digits === scanner.json.bytes;
    const start = isPlain ? scanner.stringStart : 0;
    const end = isPlain ? scanner.stringEnd : digits.length;
    if (!writer.hex(digits, start, end)) throw this.wrong("must be hex");
  }

  private base64(): Buffer {
    if (!this.scanner.isString()) throw this.unlike("string");
    const text = this.scanner.string();
    if (NOT_BASE64.test(text.replace(BASE64_PADDING, ""))) throw this.wrong("must be base64");
    return Buffer.from(text, "base64");
  }

  /** What to throw where something else stands. */
  private unlike(wanted: string): ClewError {
    const found = this.scanner.kind();
    return this.wrong(`must be ${withArticle(wanted)}, not ${withArticle(found)}`);
  }

  private wrong(why: string): ClewError {
    return malformed(this.where(), why);
  }

  private where(): string {
    let path = "$";
    for (let depth = 1; this.fields[depth] !== undefined; depth++) {
      const index = this.indices[depth] ?? NO_INDEX;
      path += `.${this.fields[depth]?.name}${index === NO_INDEX ? "" : `[${index}]`}`;
    }
    return path;
  }
}

/** Also `1e3` and `5.0`, which the protobuf JSON mapping allows for integers. */
function findInteger(text: string): bigint | undefined {
  if (text.length > INTEGER_CHARACTERS_MAX) return undefined;
  if (INTEGER.test(text)) return BigInt(text);
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

/** Maps signed to unsigned so that small negative numbers stay short: 0, -1, 1, -2 → 0, 1, 2, 3. */
function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function withArticle(name: string): string {
  if (name === "null" || name === "nothing" || name.startsWith("a ")) return name;
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}

function malformed(path: string, why: string): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot read the JSON: ${path}: ${why}`);
}
