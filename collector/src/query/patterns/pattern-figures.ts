import type { StoredRecord } from "../../record.ts";
import type { Gathered } from "./pattern-miner.ts";

export const SERVICES_MAX = 20;
export const TRANSACTIONS_MAX = 5;
/** The first SeverityNumber of each name (OpenTelemetry logs data model). */
const SEVERITIES = [
  ["fatal", 21],
  ["error", 17],
  ["warn", 13],
  ["info", 9],
  ["debug", 5],
  ["trace", 1],
] as const;
export type SeverityName = (typeof SEVERITIES)[number][0] | "unset";

/** What is told of the logs of one pattern; they come newest first. */
export class PatternFigures implements Gathered<StoredRecord> {
  count = 0;
  readonly services = new Set<string>();
  readonly severities = new Map<SeverityName, number>();
  /** Of the newest. */
  readonly transactionIds = new Set<string>();
  /** The newest. */
  example: StoredRecord | undefined;
  /** RFC 3339, which sorts as its times do. */
  firstSeen = "";
  lastSeen = "";

  add(record: StoredRecord): void {
    this.count++;
    this.#addSeverity(severityName(record.severityNumber), 1);
    addUpTo(SERVICES_MAX, this.services, [record.service]);
    if (record.transactionId !== null) {
      addUpTo(TRANSACTIONS_MAX, this.transactionIds, [record.transactionId]);
    }
    this.#see(record);
  }

  merge(other: PatternFigures): void {
    this.count += other.count;
    for (const [name, count] of other.severities) this.#addSeverity(name, count);
    addUpTo(SERVICES_MAX, this.services, other.services);
    addUpTo(TRANSACTIONS_MAX, this.transactionIds, other.transactionIds);
    if (other.example !== undefined) this.#see(other.example);
    if (other.firstSeen !== "" && other.firstSeen < this.firstSeen)
      this.firstSeen = other.firstSeen;
  }

  #see(record: StoredRecord): void {
    if (this.firstSeen === "" || record.time < this.firstSeen) this.firstSeen = record.time;
    if (this.example !== undefined && record.time <= this.lastSeen) return;
    this.lastSeen = record.time;
    this.example = record;
  }

  #addSeverity(name: SeverityName, count: number): void {
    this.severities.set(name, (this.severities.get(name) ?? 0) + count);
  }
}

function severityName(severityNumber: number): SeverityName {
  return SEVERITIES.find(([, first]) => severityNumber >= first)?.[0] ?? "unset";
}

function addUpTo(limit: number, set: Set<string>, values: Iterable<string>): void {
  for (const value of values) if (set.size < limit) set.add(value);
}
