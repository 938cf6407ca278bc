const NS_PER_MS = 1_000_000n;
/** Numbers below each bound are in the unit beside it: Unix time in seconds has 10 digits now. */
const UNITS: readonly (readonly [below: number, nsPerUnit: number])[] = [
  [1e11, 1e9],
  [1e14, 1e6],
  [1e17, 1e3],
  [1e20, 1],
];
/** 2^63 - 1 ns ends in the year 2262. */
const NS_MAX = 2n ** 63n - 1n;

/**
 * Unix nanoseconds of a log line's time: ISO 8601 text (as local time where it names no zone), or
 * Unix time in seconds, milliseconds, microseconds or nanoseconds, told apart by size.
 */
export function findEventTime(value: unknown): bigint | undefined {
  const ns =
    typeof value === "number"
      ? fromNumber(value)
      : typeof value === "bigint"
        ? fromParts(value, 0)
        : typeof value === "string"
          ? (fromDigits(value) ?? fromText(value))
          : undefined;
  return ns !== undefined && ns > 0n && ns <= NS_MAX ? ns : undefined;
}

function fromNumber(value: number): bigint | undefined {
  if (!(value > 0) || !Number.isFinite(value)) return undefined;
  const whole = Math.floor(value);
  return fromParts(BigInt(whole), value - whole);
}

/** As text every digit counts: milliseconds with nanoseconds behind the point are exact. */
function fromDigits(text: string): bigint | undefined {
  const [, whole, fraction = "0"] = /^(\d{10,19})(?:\.(\d+))?$/.exec(text) ?? [];
  return whole === undefined ? undefined : fromParts(BigInt(whole), Number(`0.${fraction}`));
}

function fromParts(whole: bigint, fraction: number): bigint | undefined {
  const size = Number(whole);
  const nsPerUnit = UNITS.find(([below]) => size < below)?.[1];
  if (nsPerUnit === undefined) return undefined;
  return whole * BigInt(nsPerUnit) + BigInt(Math.round(fraction * nsPerUnit));
}

function fromText(value: string): bigint | undefined {
  const [, day, clock, fraction = "", zone = ""] =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?\s?(Z|[+-]\d{2}:?\d{2})?$/i.exec(
      value,
    ) ?? [];
  if (day === undefined || clock === undefined) return undefined;
  const colon = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const ms = Date.parse(`${day}T${clock}${colon}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, "0"));
}
