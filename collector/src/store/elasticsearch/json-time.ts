import type { JsonBuffer } from "./json-buffer.ts";

/** The last that `date_nanos` holds: the largest signed 64-bit integer. */
const LAST_NS = 2n ** 63n - 1n;
const NS_PER_SECOND = 1_000_000_000;
const NS_PER_DAY = 86_400 * NS_PER_SECOND;
const MS_PER_DAY = 86_400_000;
const SECONDS_PER_HOUR = 3600;
const SECONDS_PER_MINUTE = 60;
const DATE_BYTES = "2026-03-01T".length;
const TIME_BYTES = "2026-03-01T12:00:00.000000000Z".length;
const COLON = 0x3a;
const DOT = 0x2e;
const ZULU = 0x5a;

/**
 * Writes Unix nanoseconds as RFC 3339 with nine digits, without quotes, as `toRfc3339` does. The
 * date is worked out once a day; what is left is a number of nanoseconds that is exact as a double.
 * Times outside `date_nanos`, which is what a signed 64-bit integer holds from 1970 on, become its
 * ends.
 */
export class JsonTime {
  private dayStartNs = 0n;
  /** The last day is shorter. */
  private dayNs = NS_PER_DAY;
  private readonly date = Buffer.from("1970-01-01T");

  write(out: JsonBuffer, timeNs: bigint): void {
    let sinceNs = Number(timeNs - this.dayStartNs);
    if (sinceNs < 0 || sinceNs >= this.dayNs) {
      const stored = storedTimeNs(timeNs);
      this.enterDay(stored);
      sinceNs = Number(stored - this.dayStartNs);
    }
    const seconds = Math.floor(sinceNs / NS_PER_SECOND);
    out.reserve(TIME_BYTES);
    const { bytes } = out;
    for (let at = 0; at < DATE_BYTES; at++) bytes[out.length++] = this.date[at] as number;
    out.digits((seconds / SECONDS_PER_HOUR) | 0, 2);
    bytes[out.length++] = COLON;
    out.digits(((seconds % SECONDS_PER_HOUR) / SECONDS_PER_MINUTE) | 0, 2);
    bytes[out.length++] = COLON;
    out.digits(seconds % SECONDS_PER_MINUTE, 2);
    bytes[out.length++] = DOT;
    out.digits(sinceNs - seconds * NS_PER_SECOND, 9);
    bytes[out.length++] = ZULU;
  }

  private enterDay(timeNs: bigint): void {
    const day = timeNs / BigInt(NS_PER_DAY);
    this.dayStartNs = day * BigInt(NS_PER_DAY);
    this.dayNs = Math.min(NS_PER_DAY, Number(LAST_NS - this.dayStartNs + 1n));
    this.date.write(new Date(Number(day) * MS_PER_DAY).toISOString(), "latin1");
  }
}

/** The time as it is stored, and shown. */
export function storedTimeNs(timeNs: bigint): bigint {
  if (timeNs < 0n) return 0n;
  return timeNs > LAST_NS ? LAST_NS : timeNs;
}
