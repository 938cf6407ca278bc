import { TRANSACTION_ID_PATTERN } from "../wire-names.ts";
import { randomHex } from "./random-hex.ts";

const TIME_DIGITS = 12;
const VARIANTS = "89ab";
/** 3 random digits behind the version, 1 that chooses the variant, 3 behind it, 12 at the end. */
const RANDOM_DIGITS = 19;

let lastMs = -1;
let timeText = "";

/** Whether a value from outside may be taken over as a transaction ID. */
export function isTransactionId(value: unknown): value is string {
  return typeof value === "string" && TRANSACTION_ID_PATTERN.test(value);
}

/**
 * A new UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits. Never derived
 * from a trace ID.
 */
export function mintUuidV7(nowMs: number = Date.now()): string {
  const ms = Math.floor(nowMs);
  if (ms !== lastMs) {
    const time = ms.toString(16).padStart(TIME_DIGITS, "0");
    timeText = `${time.slice(0, 8)}-${time.slice(8)}-7`;
    lastMs = ms;
  }
  const random = randomHex(RANDOM_DIGITS);
  const variant = VARIANTS[Number.parseInt(random.charAt(3), 16) & 3];
  const version = `${timeText}${random.slice(0, 3)}`;
  return `${version}-${variant}${random.slice(4, 7)}-${random.slice(7)}`;
}
