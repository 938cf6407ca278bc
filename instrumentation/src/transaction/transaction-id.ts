import { randomFillSync } from "node:crypto";
import { TRANSACTION_ID_PATTERN } from "../wire-names.ts";

const POOL_BYTES = 4096;
const RANDOM_BYTES_PER_ID = 10;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

const pool = Buffer.allocUnsafe(POOL_BYTES);
let poolOffset = POOL_BYTES;

/** Whether a value from outside may be taken over as a transaction ID. */
export function isTransactionId(value: unknown): value is string {
  return typeof value === "string" && TRANSACTION_ID_PATTERN.test(value);
}

/**
 * A new UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits. Never derived
 * from a trace ID.
 */
export function mintUuidV7(nowMs: number = Date.now()): string {
  if (poolOffset + RANDOM_BYTES_PER_ID > POOL_BYTES) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const time = Math.floor(nowMs).toString(16).padStart(12, "0");
  const at = poolOffset;
  poolOffset += RANDOM_BYTES_PER_ID;
  const version = hex(0x70 | (byte(at) & 0x0f)) + hex(byte(at + 1));
  const variant = hex(0x80 | (byte(at + 2) & 0x3f)) + hex(byte(at + 3));
  let node = "";
  for (let i = at + 4; i < at + RANDOM_BYTES_PER_ID; i++) node += hex(byte(i));
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${node}`;
}

function byte(index: number): number {
  return pool[index] as number;
}

function hex(value: number): string {
  return HEX[value] as string;
}
