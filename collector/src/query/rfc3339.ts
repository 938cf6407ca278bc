/** Times on the wire: RFC 3339 §5.6 with up to nanoseconds, and always UTC on the way out. */

const NS_PER_MS = 1_000_000n;
/** Every month has so many days. */
const DAYS_MIN = 28;
const PATTERN =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** Unix nanoseconds as `2026-01-31T12:00:00.123456789Z`. */
export function formatRfc3339(ns: bigint): string {
  const ms = ns / NS_PER_MS - (ns % NS_PER_MS < 0n ? 1n : 0n);
  const date = new Date(Number(ms));
  if (Number.isNaN(date.getTime())) return new Date(0).toISOString();
  const belowMs = String(ns - ms * NS_PER_MS).padStart(6, "0");
  return `${date.toISOString().slice(0, -1)}${belowMs}Z`;
}

/** Unix nanoseconds, or undefined where the text is no RFC 3339 time. */
export function findRfc3339(text: string): bigint | undefined {
  const [, day, clock, fraction = "", zone] = PATTERN.exec(text) ?? [];
  if (day === undefined || clock === undefined || zone === undefined) return undefined;
  const ms = Date.parse(`${day}T${clock}${zone.toUpperCase()}`);
  if (Number.isNaN(ms) || (Number(day.slice(-2)) > DAYS_MIN && !isOnCalendar(day)))
    return undefined;
  return BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, "0"));
}

/** `Date.parse` takes 31 February for 3 March; a caller who wrote it made a mistake. */
function isOnCalendar(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
