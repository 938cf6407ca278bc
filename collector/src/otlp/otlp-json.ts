import { isUtf8 } from "node:buffer";
import { ClewError } from "../errors.ts";
import { JsonScanner, JsonSyntaxError, NUMBER_CHARACTERS_MAX } from "./json-scanner.ts";
import {
  type FieldSchema,
  MESSAGE_DEPTH_MAX,
  MESSAGE_SCHEMAS,
  type MessageSchema,
  REQUEST_SCHEMA,
  SCALAR_WIRE,
  type Scalar,
} from "./message-schema.ts";
import type { Signal } from "./otlp-schema.ts";
import { WIRE } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

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
  return writing.request(REQUEST_SCHEMA[request.signal]);
}

/** Protobuf takes about this share of the JSON; the buffer grows where it takes more. */
const EXPECTED_SHARE = 0.75;
const INTEGER_CHARACTERS_MAX = 24;
/** What may not be there: a search that cannot backtrack, however long the text is. */
const NOT_HEX = /[^0-9a-fA-F]/;
const NOT_BASE64 = /[^A-Za-z0-9+/_-]/;
const BASE64_PADDING = /={1,2}$/;
const INTEGER = /^-?\d+$/;
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const INTEGER_RANGE: Partial<Record<Scalar, readonly [min: bigint, max: bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  enum: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
};

class Transcoder {
  private readonly scanner: JsonScanner;
  private readonly writer: ProtobufWriter;
  /** Where the cursor stands: names from the schema, and indices. */
  private readonly path: (string | number)[] = [];

  constructor(json: Buffer, maxBytes: number) {
    this.scanner = new JsonScanner(json);
    const expectedBytes = Math.ceil(json.length * EXPECTED_SHARE);
    this.writer = new ProtobufWriter({ expectedBytes, maxBytes });
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
    this.expect("object");
    if (depth > MESSAGE_DEPTH_MAX) throw this.wrong(`is nested deeper than ${MESSAGE_DEPTH_MAX}`);
    this.scanner.object((key) => {
      const field = schema.byName.get(key);
      if (field === undefined) {
        this.scanner.skip();
        return;
      }
      this.path.push(field.name);
      this.field(field, depth);
      this.path.pop();
    });
  }

  private field(field: FieldSchema, depth: number): void {
    if (this.scanner.kind() === "null") {
      this.scanner.null();
    } else if (field.isRepeated) {
      this.expect("array");
      this.scanner.array((index) => {
        this.path.push(index);
        this.value(field, depth);
        this.path.pop();
      });
    } else {
      this.value(field, depth);
    }
  }

  private value(field: FieldSchema, depth: number): void {
    const { writer } = this;
    if (field.message !== undefined) {
      writer.tag(field.number, WIRE.bytes);
      const opened = writer.open();
      this.message(MESSAGE_SCHEMAS[field.message] as MessageSchema, depth + 1);
      writer.close(opened);
      return;
    }
    const scalar = field.scalar ?? "bytes";
    writer.tag(field.number, SCALAR_WIRE[scalar]);
    if (scalar === "string") this.string();
    else if (scalar === "hex") writer.bytes(this.encodedBytes("hex"));
    else if (scalar === "bytes") writer.bytes(this.encodedBytes("base64"));
    else if (scalar === "bool") writer.varint(this.boolean() ? 1 : 0);
    else if (scalar === "double") writer.double(this.double());
    else this.integer(field, scalar);
  }

  private integer(field: FieldSchema, scalar: Scalar): void {
    const value = this.enumNumber(field) ?? this.integerWithin(scalar);
    if (scalar === "fixed32") this.writer.fixed32(Number(value));
    else if (scalar === "fixed64" || scalar === "sfixed64") this.writer.fixed64(value);
    else if (scalar === "sint32") this.writer.varint64(zigzag(value));
    else this.writer.varint64(value);
  }

  private enumNumber(field: FieldSchema): bigint | undefined {
    if (field.enumNames === undefined || this.scanner.kind() !== "string") return undefined;
    const index = field.enumNames.indexOf(this.scanner.string());
    if (index < 0) throw this.wrong("must be a number, or a name that the enum has");
    return BigInt(index);
  }

  private integerWithin(scalar: Scalar): bigint {
    const [min, max] = INTEGER_RANGE[scalar] ?? [0n, 0n];
    const value = findInteger(this.numberText());
    if (value === undefined) throw this.wrong("must be a whole number of at most 64 bits");
    if (value < min || value > max) throw this.wrong(`must be from ${min} to ${max}`);
    return value;
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
    this.expect("string", "a number");
    const text = this.scanner.string();
    if (text.length > NUMBER_CHARACTERS_MAX)
      throw this.wrong("must be a number of sensible length");
    return text;
  }

  private boolean(): boolean {
    this.expect("boolean");
    return this.scanner.boolean();
  }

  private string(): void {
    this.expect("string");
    const { bytes, start, end } = this.scanner.stringBytes();
    this.writer.bytes(bytes, start, end);
  }

  private encodedBytes(encoding: "hex" | "base64"): Buffer {
    this.expect("string");
    const text = this.scanner.string();
    const isRight =
      encoding === "hex"
        ? text.length % 2 === 0 && !NOT_HEX.test(text)
        : !NOT_BASE64.test(text.replace(BASE64_PADDING, ""));
    if (!isRight) throw this.wrong(`must be ${encoding}`);
    return Buffer.from(text, encoding);
  }

  private expect(kind: "object" | "array" | "string" | "boolean", name: string = kind): void {
    const found = this.scanner.kind();
    if (found !== kind) throw this.wrong(`must be ${withArticle(name)}, not ${withArticle(found)}`);
  }

  private wrong(why: string): ClewError {
    return malformed(this.where(), why);
  }

  private where(): string {
    const steps = this.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`));
    return `$${steps.join("")}`;
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
function zigzag(value: bigint): bigint {
  return value < 0n ? -2n * value - 1n : 2n * value;
}

function withArticle(name: string): string {
  if (name === "null" || name === "nothing" || name.startsWith("a ")) return name;
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}

function malformed(path: string, why: string): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot read the JSON: ${path}: ${why}`);
}
