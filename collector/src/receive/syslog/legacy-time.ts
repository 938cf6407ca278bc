import { findEventTime } from "../../lines/event-time.ts";

export interface LegacyTime {
  readonly timeNs: bigint;
  /** Characters of the text that say it. */
  readonly length: number;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = `(?:(\\d{4}) )?(${MONTHS.join("|")}) {1,2}(\\d{1,2})(?: ((?:19|20)\\d{2}))?`;
/** `Oct 11 22:14:15`, with a year before or behind the day and with a fraction as devices add. */
const STAMP = new RegExp(`^[*.]?${DAY} (\\d{2}):(\\d{2}):(\\d{2})(?:[.,](\\d{1,9}))?`);
const ZONE = /^ (Z|UTC|GMT|[ECMP][SD]T|TZ[+-]\d{1,2}|[+-]\d{2}:?\d{2})(?=[ :]|$)/;
const YEAR = /^ ((?:19|20)\d{2})(?=[ :]|$)/;
const ISO_STAMP = /^\d{4}-\d{2}-\d{2}[T ]\S{8,24}?(?=:? |:?$)/;
const NS_PER_MS = 1_000_000n;
const MS_PER_MINUTE = 60_000;
/** RFC 5322 §4.3, in hours. */
const ZONES: Readonly<Record<string, number>> = {
  ...{ Z: 0, UTC: 0, GMT: 0, EDT: -4, EST: -5, CDT: -5, CST: -6 },
  ...{ MDT: -6, MST: -7, PDT: -7, PST: -8 },
};

/**
 * The time at the start of a message of RFC 3164 (§4.1.2), or of what is sent instead: ISO 8601, a
 * year, a fraction, a zone. Without a zone it is this machine's; without a year the one that makes
 * it nearest to `nowMs`.
 */
export function findLegacyTime(text: string, nowMs: number): LegacyTime | undefined {
  const [iso] = ISO_STAMP.exec(text) ?? [];
  if (iso !== undefined) {
    const timeNs = findEventTime(iso);
    return timeNs === undefined ? undefined : { timeNs, length: iso.length };
  }
  const match = STAMP.exec(text);
  if (match === null) return undefined;
  const [stamp, yearBefore, month = "", day, yearBehind, ...clock] = match;
  let { length } = stamp;
  const zone = ZONE.exec(text.slice(length));
  length += zone?.[0].length ?? 0;
  const lateYear = yearBefore ?? yearBehind ?? YEAR.exec(text.slice(length))?.[1];
  if (lateYear !== undefined && yearBefore === undefined && yearBehind === undefined) {
    length += lateYear.length + 1;
  }
  const [hours, minutes, seconds, fraction = ""] = clock;
  const date = [MONTHS.indexOf(month), Number(day)] as const;
  const time = [Number(hours), Number(minutes), Number(seconds)] as const;
  const at = (year: number) => findMs({ year, date, time, zone: zone?.[1] });
  const ms = lateYear === undefined ? findNearest(at, nowMs) : at(Number(lateYear));
  if (ms === undefined || ms <= 0) return undefined;
  return { timeNs: BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, "0")), length };
}

interface Stamp {
  readonly year: number;
  readonly date: readonly [month: number, day: number];
  readonly time: readonly [hours: number, minutes: number, seconds: number];
  readonly zone: string | undefined;
}

/** Undefined for a day that the month has not, and for 24 o'clock and later. */
function findMs({ year, date: [month, day], time, zone }: Stamp): number | undefined {
  const utcMs = Date.UTC(year, month, day, ...time);
  const utc = new Date(utcMs);
  const [hours, minutes, seconds] = time;
  if (utc.getUTCMonth() !== month || utc.getUTCDate() !== day || day === 0) return undefined;
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  if (zone === undefined) return new Date(year, month, day, ...time).getTime();
  return utcMs - offsetMinutes(zone) * MS_PER_MINUTE;
}

/** East of Greenwich, of what `ZONE` matches. */
function offsetMinutes(zone: string): number {
  const named = ZONES[zone];
  if (named !== undefined) return named * 60;
  const [, sign, hours, minutes] = /([+-])(\d{1,2}):?(\d{2})?$/.exec(zone) ?? [];
  const total = Number(hours) * 60 + Number(minutes ?? 0);
  return sign === "-" ? -total : total;
}

function findNearest(at: (year: number) => number | undefined, nowMs: number): number | undefined {
  const thisYear = new Date(nowMs).getFullYear();
  let nearest: number | undefined;
  for (const year of [thisYear, thisYear - 1, thisYear + 1]) {
    const ms = at(year);
    if (ms === undefined) continue;
    if (nearest === undefined || Math.abs(ms - nowMs) < Math.abs(nearest - nowMs)) nearest = ms;
  }
  return nearest;
}
