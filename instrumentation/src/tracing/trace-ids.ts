import { randomHex } from "../transaction/random-hex.ts";

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;

/** 32 random lower-case hex digits, never all zero. */
export function mintTraceId(): string {
  return neverZero(TRACE_DIGITS);
}

/** 16 random lower-case hex digits, never all zero. */
export function mintSpanId(): string {
  return neverZero(SPAN_DIGITS);
}

/** 128 random bits in hex: one start of one process or worker. */
export function mintRunId(): string {
  return neverZero(TRACE_DIGITS);
}

function neverZero(digits: number): string {
  for (;;) {
    const text = randomHex(digits);
    // All zero comes once in 2^64 span IDs; most are told apart by their first digit.
    if (text.charCodeAt(0) !== 48 || !/^0+$/.test(text)) return text;
  }
}
