/** Where one variable after the other is read from, and what was wrong with them. */
export interface ConfigSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One sentence per variable that was not understood; its default is used. */
  readonly warnings: string[];
}

/** An empty variable counts as unset, as the specification says. */
export function text(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === undefined || trimmed === "" ? undefined : trimmed;
}

/** Only "true", in any case, is true (OpenTelemetry "Boolean environment variables"). */
export function isTrue(value: string | undefined): boolean {
  return value?.trim().toLowerCase() === "true";
}

/** The members of a comma-separated list, trimmed, without empty ones. */
export function readList(value: string | undefined): string[] {
  const members = value?.split(",").map((member) => member.trim()) ?? [];
  return members.filter((member) => member !== "");
}

/** A whole number from 0 to `max`; anything else is named in the warnings. */
export function readNumber(field: {
  name: string;
  value: string | undefined;
  fallback: number;
  max: number;
  warnings: string[];
}): number {
  const { name, value, fallback, max, warnings } = field;
  if (value === undefined) return fallback;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return Math.min(number, max);
  warnings.push(`${name} is "${value}", allowed are whole numbers from 0`);
  return fallback;
}

/** `key=value,key=value`, both percent-encoded. Values may be secrets and are never repeated. */
export function parsePairs(
  value: string | undefined,
  warnings: string[],
  name: string,
): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of value?.split(",") ?? []) {
    const equals = pair.indexOf("=");
    if (pair.trim() === "") continue;
    try {
      if (equals < 1) throw new Error("there is no key");
      const key = decodeURIComponent(pair.slice(0, equals).trim());
      pairs[key] = decodeURIComponent(pair.slice(equals + 1).trim());
    } catch {
      warnings.push(`${name} holds a member that is not key=value, it is left out`);
    }
  }
  return pairs;
}
