import { ClewError } from "../errors.ts";
import { findRfc3339 } from "./rfc3339.ts";

export const LIMIT_DEFAULT = 100;
export const LIMIT_MAX = 1000;
const TEXT_CHARS_MAX = 1024;
const SEVERITIES = new Map([
  ["trace", 1],
  ["debug", 5],
  ["info", 9],
  ["warn", 13],
  ["error", 17],
  ["fatal", 21],
]);
const SEVERITY_NUMBER_MAX = 24;

/**
 * The query string of one request. Each getter answers undefined where the parameter is missing or
 * empty, and throws PARAMETER_INVALID naming the parameter, its value and what is allowed.
 */
export class Parameters {
  readonly #values: URLSearchParams;

  /** @throws ClewError PARAMETER_INVALID where a name is not `known`, or is given twice. */
  constructor(values: URLSearchParams, known: readonly string[]) {
    this.#values = values;
    const seen = new Set<string>();
    for (const [name, value] of values) {
      if (!known.includes(name)) {
        const allowed = known.length > 0 ? `the parameters ${known.join(", ")}` : "no parameter";
        throw invalidParameter({ name, value, allowed });
      }
      if (seen.has(name))
        throw invalidParameter({ name, value, allowed: "one value, not several" });
      seen.add(name);
    }
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name) ?? "";
    if (value === "") return undefined;
    if (value.length > TEXT_CHARS_MAX) {
      throw invalidParameter({
        name,
        value,
        allowed: `a text of at most ${TEXT_CHARS_MAX} characters`,
      });
    }
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = allowed.find((item) => item === value);
    if (found === undefined) throw invalidParameter({ name, value, allowed: allowed.join(", ") });
    return found;
  }

  limit(): number {
    const value = this.text("limit");
    if (value === undefined) return LIMIT_DEFAULT;
    const limit = /^\d{1,9}$/.test(value) ? Number(value) : 0;
    if (limit < 1 || limit > LIMIT_MAX) {
      throw invalidParameter({
        name: "limit",
        value,
        allowed: `a whole number from 1 to ${LIMIT_MAX}`,
      });
    }
    return limit;
  }

  milliseconds(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^\d{1,15}(\.\d{1,6})?$/.test(value)) {
      throw invalidParameter({ name, value, allowed: "milliseconds, as in 250 or 0.5" });
    }
    return Number(value);
  }

  timeNs(name: string): bigint | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const ns = findRfc3339(value);
    if (ns === undefined) {
      throw invalidParameter({
        name,
        value,
        allowed: "an RFC 3339 time, as in 2026-01-31T12:00:00Z",
      });
    }
    return ns;
  }

  /** `from` and `to`; an empty window is a mistake of the caller. */
  window(): { fromNs?: bigint; toNs?: bigint } {
    const fromNs = this.timeNs("from");
    const toNs = this.timeNs("to");
    if (fromNs !== undefined && toNs !== undefined && fromNs > toNs) {
      throw invalidParameter({
        name: "from",
        value: this.text("from") ?? "",
        allowed: "a time before `to`",
      });
    }
    return { ...given("fromNs", fromNs), ...given("toNs", toNs) };
  }

  /** The least SeverityNumber (OTLP logs data model): a name or 1 to 24. */
  severity(): number | undefined {
    const value = this.text("severity");
    if (value === undefined) return undefined;
    const number = /^\d{1,2}$/.test(value) ? Number(value) : SEVERITIES.get(value.toLowerCase());
    if (number === undefined || number < 1 || number > SEVERITY_NUMBER_MAX) {
      const allowed = `${[...SEVERITIES.keys()].join(", ")}, or 1 to ${SEVERITY_NUMBER_MAX}`;
      throw invalidParameter({ name: "severity", value, allowed });
    }
    return number;
  }
}

/** One property, or none: `exactOptionalPropertyTypes` takes no undefined for a missing one. */
export function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

export interface InvalidParameter {
  readonly name: string;
  readonly value: string;
  readonly allowed: string;
}

export function invalidParameter({ name, value, allowed }: InvalidParameter): ClewError {
  const shown = value.length > 100 ? `${value.slice(0, 100)}…` : value;
  return new ClewError("PARAMETER_INVALID", `cannot use ${name}=${shown}: allowed is ${allowed}`);
}
