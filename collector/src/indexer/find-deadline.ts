import { findScalarText } from "./any-value.ts";
import type { AttributeScan } from "./attribute-scan.ts";

const NS_PER_MS = 1_000_000n;
/** The last that a Date can hold; a time beyond is a mistake and no deadline. */
const DEADLINE_MS_MAX = 8_640_000_000_000_000;

/** Unix nanoseconds of the Unix milliseconds under the wanted key `index`; 0 where none are. */
export function findDeadline(buffer: Buffer, scan: AttributeScan, index: number): bigint {
  if (!scan.has(index)) return 0n;
  const text = findScalarText(buffer, scan.range(index)) ?? "";
  if (!/^\d{1,16}$/.test(text) || Number(text) > DEADLINE_MS_MAX) return 0n;
  return BigInt(text) * NS_PER_MS;
}
