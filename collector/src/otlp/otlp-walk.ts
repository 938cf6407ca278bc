import { isUtf8 } from "node:buffer";
import { ClewError } from "../errors.ts";
import {
  type FieldSchema,
  MESSAGE_DEPTH_MAX,
  MESSAGE_SCHEMAS,
  REQUEST_SCHEMA,
  SCALAR_WIRE,
} from "./message-schema.ts";
import type { Signal } from "./otlp-schema.ts";
import { WIRE } from "./protobuf-reader.ts";

/**
 * Checks that `request` is a well-formed OTLP export request and counts its records (log records,
 * spans, data points), without building an object: whatever reads it later cannot fail on it.
 * Fields may come in any order (the OpenTelemetry Collector writes the last one first) and unknown
 * fields are passed over.
 *
 * @throws ClewError REQUEST_MALFORMED: bytes that end early, a wire type the field cannot have, a
 * string that is not UTF-8, an overlong varint, or messages nested deeper than MESSAGE_DEPTH_MAX.
 */
export function walkOtlp(signal: Signal, request: Uint8Array): number {
  const walk = new Walk(request);
  walk.message(REQUEST_SCHEMA[signal].index, 0, request.length, 1);
  return walk.records;
}

/** What to do with a field, by its tag (`field << 3 | wire type`). */
const ACTION = {
  refuse: 0,
  varint: 1,
  fixed64: 2,
  fixed32: 3,
  bytes: 4,
  string: 5,
  message: 6,
  packedVarint: 7,
  packedFixed64: 8,
} as const;
/** Tags of the fields 1 to 31: all that OTLP has. */
const TAGS = 256;
const ACTION_BITS = 0x0f;
const RECORD_BIT = 0x10;
const MESSAGE_SHIFT = 8;

/** Per message and tag: action, whether it is a record, and the index of the message within. */
const ACTIONS = planActions();

const KEY_VALUE = MESSAGE_SCHEMAS.findIndex(({ name }) => name === "KeyValue");
/** A pair and its value are two messages deeper. */
const PAIR_DEPTH_MAX = MESSAGE_DEPTH_MAX - 2;
/** From about here on one native call is cheaper: 52 ns, as a loop over 512 bytes takes 45. */
const NATIVE_CHECK_BYTES = 512;
const VARINT_BYTES_MAX = 10;
const LENGTH_BYTES_MAX = 5;

class Walk {
  records = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  /** Where `length` left off: the first byte after the varint it read. */
  private after = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  message(index: number, start: number, end: number, depth: number): void {
    if (depth > MESSAGE_DEPTH_MAX) {
      throw malformed(`messages are nested deeper than ${MESSAGE_DEPTH_MAX}`, start);
    }
    const bytes = this.bytes;
    let at = start;
    while (at < end) {
      let tag = bytes[at++] as number;
      if (tag >= 0x80) {
        tag = this.length(at - 1, end);
        at = this.after;
      }
      const action = tag < TAGS ? (ACTIONS[index * TAGS + tag] as number) : actionOfUnknown(tag);
      const kind = action & ACTION_BITS;
      if (kind < ACTION.bytes) {
        if (kind === ACTION.fixed64) at += 8;
        else if (kind === ACTION.varint) {
          if (at < end && (bytes[at] as number) < 0x80) at++;
          else at = this.skipVarint(at, end);
        } else if (kind === ACTION.fixed32) at += 4;
        else throw refusal(index, tag, at);
        if (at > end) throw malformed("a number is cut off", end);
        continue;
      }
      let length = at < end ? (bytes[at] as number) : 0x80;
      if (length < 0x80) at++;
      else {
        length = this.length(at, end);
        at = this.after;
      }
      const fieldEnd = at + length;
      if (fieldEnd > end) throw malformed("a field is longer than its message", at);
      if (kind === ACTION.message) {
        if ((action & RECORD_BIT) !== 0) this.records++;
        const inner = action >> MESSAGE_SHIFT;
        if (inner !== KEY_VALUE || depth > PAIR_DEPTH_MAX || !this.isPlainPair(at, fieldEnd)) {
          this.message(inner, at, fieldEnd, depth + 1);
        }
      } else if (kind === ACTION.string) {
        if (!this.isText(at, fieldEnd)) throw malformed("a string is not UTF-8", at);
      } else if (kind !== ACTION.bytes) {
        this.checkPacked(kind, at, fieldEnd);
      }
      at = fieldEnd;
    }
  }

  /**
   * A `KeyValue` as most are, told at once: `0a length key 12 length value`, the value a string
   * `0a length text` and nothing at or above 0x80, so that all lengths have one byte and all text
   * is ASCII. It saves two calls and two strings: 1000 logs of 390 B are walked in 190 µs, not 360.
   */
  private isPlainPair(start: number, end: number): boolean {
    const bytes = this.bytes;
    const valueAt = start + 2 + (bytes[start + 1] as number);
    return (
      valueAt + 4 <= end &&
      bytes[start] === 0x0a &&
      bytes[valueAt] === 0x12 &&
      bytes[valueAt + 1] === end - valueAt - 2 &&
      bytes[valueAt + 2] === 0x0a &&
      bytes[valueAt + 3] === end - valueAt - 4 &&
      this.isAscii(start, end)
    );
  }

  /** Text is ASCII nearly always, which eight bytes at a time tell without a native call. */
  private isText(start: number, end: number): boolean {
    if (end - start < NATIVE_CHECK_BYTES && this.isAscii(start, end)) return true;
    return isUtf8(this.bytes.subarray(start, end));
  }

  private isAscii(start: number, end: number): boolean {
    const view = this.view;
    let at = start;
    let seen = 0;
    if (end - start >= 8) {
      const last = end - 8;
      for (; at < last; at += 8) seen |= view.getInt32(at, true) | view.getInt32(at + 4, true);
      seen |= view.getInt32(last, true) | view.getInt32(last + 4, true);
    } else {
      for (; at < end; at++) seen |= this.bytes[at] as number;
    }
    return (seen & 0x80808080) === 0;
  }

  private skipVarint(start: number, end: number): number {
    const bytes = this.bytes;
    const last = start + VARINT_BYTES_MAX - 1;
    let at = start;
    while (at < end && (bytes[at] as number) >= 0x80) {
      if (at === last) throw malformed("a varint is longer than 10 bytes", start);
      at++;
    }
    if (at === last && at < end && (bytes[at] as number) > 1) {
      throw malformed("a varint is larger than 64 bits", start);
    }
    return at + 1;
  }

  /** A varint that is a tag or a length: 31 bits at most, as every protobuf library has it. */
  private length(start: number, end: number): number {
    let result = 0;
    for (let i = 0; i < LENGTH_BYTES_MAX; i++) {
      if (start + i >= end) throw malformed("a varint is cut off", start);
      const byte = this.bytes[start + i] as number;
      if (i === LENGTH_BYTES_MAX - 1 && byte > 7) break;
      result |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        this.after = start + i + 1;
        return result;
      }
    }
    throw malformed("a length or a field number is out of range", start);
  }

  private checkPacked(kind: number, start: number, end: number): void {
    if (kind === ACTION.packedFixed64) {
      if ((end - start) % 8 !== 0) throw malformed("a packed number is cut off", start);
      return;
    }
    let at = start;
    while (at < end) at = this.skipVarint(at, end);
    if (at > end) throw malformed("a packed number is cut off", start);
  }
}

function planActions(): Uint16Array {
  const plan = new Uint16Array(MESSAGE_SCHEMAS.length * TAGS);
  for (const { index, fields } of MESSAGE_SCHEMAS) {
    for (let tag = 0; tag < TAGS; tag++) plan[index * TAGS + tag] = actionOfUnknown(tag);
    for (const field of fields) {
      for (let wire = 0; wire < 8; wire++) {
        plan[index * TAGS + ((field.number << 3) | wire)] = actionOfKnown(field, wire);
      }
    }
  }
  return plan;
}

function actionOfKnown(field: FieldSchema, wire: number): number {
  if (field.message !== undefined) {
    if (wire !== WIRE.bytes) return ACTION.refuse;
    const record = field.isRecord ? RECORD_BIT : 0;
    return ACTION.message | record | (field.message << MESSAGE_SHIFT);
  }
  const scalar = field.scalar ?? "bytes";
  const declared = SCALAR_WIRE[scalar];
  if (wire === declared) return scalar === "string" ? ACTION.string : actionOfUnknown(wire | 8);
  if (wire !== WIRE.bytes || !field.isRepeated) return ACTION.refuse;
  return declared === WIRE.varint ? ACTION.packedVarint : ACTION.packedFixed64;
}

/** An unknown field is passed over by its wire type; field number 0 and groups do not exist. */
function actionOfUnknown(tag: number): number {
  if (tag >>> 3 === 0) return ACTION.refuse;
  const wire = tag & 7;
  if (wire === WIRE.varint) return ACTION.varint;
  if (wire === WIRE.fixed64) return ACTION.fixed64;
  if (wire === WIRE.bytes) return ACTION.bytes;
  return wire === WIRE.fixed32 ? ACTION.fixed32 : ACTION.refuse;
}

function refusal(index: number, tag: number, at: number): ClewError {
  const name = MESSAGE_SCHEMAS[index]?.name ?? "the message";
  return malformed(`field ${tag >>> 3} of ${name} has wire type ${tag & 7}`, at);
}

function malformed(why: string, at: number): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot read the protobuf: ${why} (at byte ${at})`);
}
