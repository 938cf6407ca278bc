/** Unix ms, with its fraction, of an RFC 3339 time of any precision; NaN where it is none. */
export function timeMs(rfc3339: string): number {
  const [, seconds, fraction, zone] = TIME.exec(rfc3339) ?? [];
  if (seconds === undefined || zone === undefined) return Number.NaN;
  return Date.parse(seconds + zone) + Number(`0${fraction ?? ""}`) * 1000;
}

/** Time of day on the reader's clock, to the millisecond: `03:04:05.678`. */
export function formatTime(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  const date = new Date(ms);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${parts}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Day and time on the reader's clock: `2026-11-21 03:04:05`. */
export function formatDayTime(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  const date = new Date(ms);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${formatTime(ms).slice(0, 8)}`;
}

/** As formatTime, with the day before it where that is not today's. */
export function formatNearTime(ms: number, nowMs: number): string {
  if (!Number.isFinite(ms)) return "–";
  const day = formatDayTime(ms).slice(0, 10);
  const time = formatTime(ms);
  return day === formatDayTime(nowMs).slice(0, 10) ? time : `${day.slice(5)} ${time.slice(0, 8)}`;
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function two(value: number): string {
  return String(value).padStart(2, "0");
}
