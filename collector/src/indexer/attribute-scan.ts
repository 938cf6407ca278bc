import type { ProtobufReader } from "../otlp/protobuf-reader.ts";
import type { ByteRange } from "./any-value.ts";

/** Fields of `KeyValue` (opentelemetry/proto/common/v1), with their wire type. */
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;

/**
 * Remembers where the values of a few wanted keys lie while a record's attributes are passed over.
 * Keys are compared as bytes and nothing is made per attribute, since most are not wanted.
 */
export class AttributeScan {
  /** By the length of the key: which wanted keys are that long. */
  readonly #byLength: Array<Array<{ readonly bytes: Buffer; readonly index: number }>> = [];
  /** By the index of a key: where its value is noted. A key that is wanted twice has one place. */
  readonly #places: Int32Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  /** A value is asked for by its key's index in `keys`. */
  constructor(keys: readonly string[]) {
    this.#places = Int32Array.from(keys, (key) => keys.indexOf(key));
    this.#starts = new Int32Array(keys.length).fill(-1);
    this.#ends = new Int32Array(keys.length);
    keys.forEach((key, index) => {
      const bytes = Buffer.from(key);
      const others = this.#byLength[bytes.length];
      if (others === undefined) this.#byLength[bytes.length] = [{ bytes, index }];
      else others.push({ bytes, index });
    });
  }

  reset(): void {
    this.#starts.fill(-1);
  }

  has(index: number): boolean {
    return (this.#starts[this.#places[index] as number] as number) >= 0;
  }

  /** Where the `AnyValue` lies; only where `has`. */
  range(index: number): ByteRange {
    const place = this.#places[index] as number;
    return { start: this.#starts[place] as number, end: this.#ends[place] as number };
  }

  /** Passes over the `KeyValue` at the cursor, whichever order its fields have. */
  add(reader: ProtobufReader): void {
    const outer = reader.end;
    const end = reader.enter();
    reader.end = end;
    let wanted = -1;
    let valueStart = -1;
    let valueEnd = -1;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === TAG_KEY) {
        const keyEnd = reader.enter();
        wanted = this.#find(reader.buffer, reader.position, keyEnd);
        reader.position = keyEnd;
      } else if (tag === TAG_VALUE) {
        valueEnd = reader.enter();
        valueStart = reader.position;
        reader.position = valueEnd;
      } else reader.skip(tag & 7);
    }
    reader.end = outer;
    // The first of two attributes with one key counts.
    if (wanted < 0 || valueStart < 0 || this.has(wanted)) return;
    this.#starts[wanted] = valueStart;
    this.#ends[wanted] = valueEnd;
  }

  #find(buffer: Buffer, start: number, end: number): number {
    const candidates = this.#byLength[end - start];
    if (candidates === undefined) return -1;
    for (const { bytes, index } of candidates) {
      let at = 0;
      while (at < bytes.length && buffer[start + at] === bytes[at]) at++;
      if (at === bytes.length) return index;
    }
    return -1;
  }
}
