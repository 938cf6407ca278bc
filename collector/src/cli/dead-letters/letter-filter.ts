/** Which letters a command is about, as its options say. */
import { readSince } from "../logs.ts";
import { safeLine } from "../safe-text.ts";
import { wrongUsage } from "../usage-error.ts";

/** As the query API takes it; times in RFC 3339. */
export interface LetterFilter {
  readonly state?: string;
  readonly reason?: string;
  readonly service?: string;
  readonly transaction?: string;
  readonly from?: string;
}

export const FILTER_OPTIONS = {
  state: { type: "string" },
  reason: { type: "string" },
  service: { type: "string" },
  transaction: { type: "string" },
  since: { type: "string" },
} as const;

interface FilterValues {
  readonly state?: string | undefined;
  readonly reason?: string | undefined;
  readonly service?: string | undefined;
  readonly transaction?: string | undefined;
  readonly since?: string | undefined;
}

export function letterFilter(values: FilterValues): LetterFilter {
  const { state, reason, service, transaction, since } = values;
  const from = readSince(since, BigInt(Date.now()) * 1_000_000n, "dead-letters");
  const given = Object.entries({ state, reason, service, transaction, from });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== ""));
}

/** A whole number from 1 on; undefined where nothing is said. */
export function readLimit(text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= max) return limit;
  throw wrongUsage("dead-letters", `--limit ${safeLine(text)} is no number from 1 to ${max}`);
}
