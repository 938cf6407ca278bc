import { SEQUENCE_MAX } from "../store/ledger.ts";
import { findScalarText } from "./any-value.ts";
import type { AttributeScan } from "./attribute-scan.ts";

const DIGIT_0 = 0x30;
const DIGITS_MAX = String(SEQUENCE_MAX).length;
/** `AnyValue.int_value`, with its wire type. */
const TAG_INT = 0x18;
/** Seven bits each, of which fewer than 2^53 is made. */
const VARINT_BYTES_MAX = 7;

/** The number in a log record's uid (`<run id>-<number>`); 0 where the uid is another's. */
export function findUidSequence(uid: string, runId: string): number {
  const start = runId.length + 1;
  const isOurs = runId !== "" && uid.length > start && uid[start - 1] === "-";
  if (!isOurs || !uid.startsWith(runId)) return 0;
  return findDecimal(uid, start);
}

/** The number that the span says it has; 0 where it says none. */
export function findSpanSequence(buffer: Buffer, scan: AttributeScan, index: number): number {
  if (!scan.has(index)) return 0;
  const range = scan.range(index);
  if (buffer[range.start] === TAG_INT) return findVarint(buffer, range.start + 1, range.end);
  return findDecimal(findScalarText(buffer, range) ?? "", 0);
}

/** Digits up to the end; they are read one by one, since this is done for each record. */
function findDecimal(text: string, start: number): number {
  if (text.length === start || text.length - start > DIGITS_MAX) return 0;
  let number = 0;
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - DIGIT_0;
    if (digit < 0 || digit > 9) return 0;
    number = number * 10 + digit;
  }
  return number;
}

/** Nothing but one varint up to the end; without a big integer, as it is done for each span. */
function findVarint(buffer: Buffer, start: number, end: number): number {
  if (end - start > VARINT_BYTES_MAX) return 0;
  let number = 0;
  let scale = 1;
  for (let at = start; at < end; at++) {
    const byte = buffer[at] as number;
    number += (byte & 0x7f) * scale;
    if (byte < 0x80) return at + 1 === end && number <= SEQUENCE_MAX ? number : 0;
    scale *= 128;
  }
  return 0;
}
