import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { SUMMARY_ATTRIBUTES } from "../tracing/span-summary.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { RECORDS } from "./otlp-request.ts";
import { SPAN, writeSpan } from "./otlp-span.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";
import { writeOwnAttribute } from "./write-attribute.ts";

/** The fields of a summary; of its attributes some. */
const KEPT_FIELDS: ReadonlySet<number> = new Set([
  ...[SPAN.traceId, SPAN.spanId, SPAN.traceState, SPAN.parentSpanId, SPAN.name, SPAN.kind],
  ...[SPAN.start, SPAN.end, SPAN.status, SPAN.flags],
]);
const KEPT_KEYS: readonly Buffer[] = [
  ...SUMMARY_ATTRIBUTES,
  ATTRIBUTE.transactionId,
  ATTRIBUTE.transactionStart,
  ATTRIBUTE.spanLogs,
].map((key) => Buffer.from(key));
/** OTLP's kind of a consumer span, whose links stay: see `reduceToSummary`. */
const KIND_CONSUMER = 5;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const FIXED64_BYTES = 8;
const FIXED32_BYTES = 4;
const LENGTH_BYTES = 2;

/**
 * Encodes a span that has no number yet: the fields of its message, without tag and length.
 *
 * @returns a view into the writer's buffer
 */
export function encodeHeldSpan(writer: ProtobufWriter, span: RecordedSpan): Uint8Array {
  writer.position = 0;
  writeSpan(writer, span, undefined);
  const at = { position: 0 };
  const { buffer } = writer;
  readVarint(buffer, at);
  readVarint(buffer, at);
  return buffer.subarray(at.position, writer.position);
}

/** Writes an encoded span with its number, whole or as its summary. */
export function writeHeldSpan(
  writer: ProtobufWriter,
  held: { readonly bytes: Uint8Array; readonly sequence: number; readonly isSummary: boolean },
): void {
  const { bytes, sequence, isSummary } = held;
  const start = writer.open(RECORDS, LENGTH_BYTES);
  const own = (key: string, value: number | boolean) =>
    writeOwnAttribute(writer, { field: SPAN.attributes, key, value });
  if (isSummary) copySummary(writer, bytes);
  else writer.raw(bytes);
  own(ATTRIBUTE.spanSequence, sequence);
  if (isSummary) own(ATTRIBUTE.spanSummary, true);
  writer.close(start, LENGTH_BYTES);
}

/** Copies the fields that stay; neighbours go together. */
function copySummary(writer: ProtobufWriter, bytes: Uint8Array): void {
  const at = { position: 0 };
  let from = 0;
  let hasLinks = false;
  while (at.position < bytes.length) {
    const begin = at.position;
    const tag = readVarint(bytes, at);
    const wireType = tag & 7;
    const field = tag >>> 3;
    let contentAt = at.position;
    if (wireType === FIXED64) at.position += FIXED64_BYTES;
    else if (wireType === FIXED32) at.position += FIXED32_BYTES;
    else {
      const value = readVarint(bytes, at);
      contentAt = at.position;
      if (wireType === BYTES) at.position += value;
      else if (field === SPAN.kind) hasLinks = value === KIND_CONSUMER;
    }
    const isKept =
      field === SPAN.attributes
        ? isKeptKey(bytes, contentAt)
        : KEPT_FIELDS.has(field) || (hasLinks && field === SPAN.links);
    if (isKept) continue;
    if (begin > from) writer.raw(bytes.subarray(from, begin));
    from = at.position;
  }
  if (from < bytes.length) writer.raw(bytes.subarray(from));
}

/** A KeyValue begins with its key: 0x0a, length, text. All of ours are shorter than 128 bytes. */
function isKeptKey(bytes: Uint8Array, at: number): boolean {
  const length = bytes[at + 1];
  for (const key of KEPT_KEYS) {
    if (key.length === length && isSame(bytes, at + 2, key)) return true;
  }
  return false;
}

/** From the end: most names begin alike. */
function isSame(bytes: Uint8Array, at: number, key: Buffer): boolean {
  for (let i = key.length - 1; i >= 0; i--) if (bytes[at + i] !== key[i]) return false;
  return true;
}

/** Lengths and tags have less than 32 bits here; of longer ones only the end is of use. */
function readVarint(bytes: Uint8Array, at: { position: number }): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at.position++] ?? 0;
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}
