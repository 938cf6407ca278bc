const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A duration in ms as a person reads it: two units or three digits, never both. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms === 0) return "0 ms";
  if (ms < 0.9995) return `${Math.max(1, Math.round(ms * 1000))} µs`;
  if (ms < 999.5) return `${threeDigits(ms)} ms`;
  if (ms < MINUTE_MS - 5) return `${threeDigits(ms / SECOND_MS)} s`;
  const seconds = Math.round(ms / SECOND_MS);
  if (seconds < HOUR_MS / SECOND_MS) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes < DAY_MS / MINUTE_MS) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  const hours = Math.round(ms / HOUR_MS);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long after the transaction's first record. */
export function formatOffset(ms: number): string {
  return ms < 0 ? formatDuration(ms) : `+${formatDuration(ms)}`;
}

/**
 * As formatOffset, and to the millisecond however long it is: a timeline's rows differ by little
 * even an hour after its start. `+28.785 s`, `+1:02:03.456`, `+3 d 1:02:03.456`.
 */
export function formatExactOffset(ms: number): string {
  if (!Number.isFinite(ms) || Math.abs(ms) < 999.5) return formatOffset(ms);
  const sign = ms < 0 ? "−" : "+";
  const total = Math.round(Math.abs(ms));
  const seconds = (total % MINUTE_MS) / SECOND_MS;
  if (total < MINUTE_MS) return `${sign}${seconds.toFixed(3)} s`;
  const days = Math.floor(total / DAY_MS);
  const hours = Math.floor((total % DAY_MS) / HOUR_MS);
  const minutes = Math.floor((total % HOUR_MS) / MINUTE_MS);
  const clock = hours > 0 || days > 0 ? `${hours}:${two(minutes)}` : String(minutes);
  return `${sign}${days > 0 ? `${days} d ` : ""}${clock}:${seconds.toFixed(3).padStart(6, "0")}`;
}

/** How long ago, coarsely: what the eye needs in a list. */
export function formatAge(ms: number): string {
  if (ms < 5 * SECOND_MS) return "now";
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s ago`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ago`;
  return `${Math.floor(ms / DAY_MS)} d ago`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
