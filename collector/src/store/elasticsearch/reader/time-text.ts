/** Times as Elasticsearch's `date_nanos` gives and takes them. */
import { toRfc3339 } from "../../embedded/stored-record.ts";

/** The format in which fields and places of sorting are asked for: RFC 3339, up to 9 digits. */
export const TIME_FORMAT = "strict_date_optional_time_nanos";

/** The last time that `date_nanos` holds, and a signed 64-bit integer. */
export const MAX_NS = 2n ** 63n - 1n;
const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;
const FRACTION_DIGITS = 9;
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

/** @throws RangeError where the text is not one that Elasticsearch gives. */
export function parseTime(text: string): bigint {
  const [, seconds, fraction = ""] = TIME.exec(text) ?? [];
  if (seconds === undefined) throw new RangeError(`not a time: ${text.slice(0, 64)}`);
  const wholeNs = BigInt(Date.parse(`${seconds}Z`)) * NS_PER_MS;
  return wholeNs + (BigInt(fraction.padEnd(FRACTION_DIGITS, "0")) % NS_PER_SECOND);
}

export function formatTime(timeNs: bigint): string {
  return toRfc3339(timeNs);
}

/** An aggregation's time, which is in whole milliseconds, rounded down. */
export function msToNs(ms: number): bigint {
  return BigInt(Math.floor(ms)) * NS_PER_MS;
}
