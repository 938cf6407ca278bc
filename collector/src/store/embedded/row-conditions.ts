/** What the columns of a row must be, in one day file. */
import type { LogFilter } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { ZONE_RECORDS } from "./day-schema.ts";
import { needlesOf } from "./payload-needles.ts";
import { MAX_SEQ, MIN_SEVERITY, type WantedFlags, wantedFlags } from "./record-page.ts";
import type { SearchPlan } from "./search-plan.ts";

const ZONES_OF_TRANSACTION = `
  SELECT DISTINCT seq / ${ZONE_RECORDS} AS zone FROM records WHERE transaction_key = ?`;
const EVERY_RECORD: WantedFlags = { mask: 0, value: 0 };
const MAX_SEVERITY = 2 ** 31 - 1;
const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;

export interface LogConditions
  extends Pick<LogFilter, "kind" | "service" | "minSeverityNumber" | "withReports"> {
  /** Also spans, and reports. */
  readonly withSpans?: boolean;
}

/** The columns that every row has, as they come with the matches of a text. */
export interface RowColumns {
  /** FLAG of day-schema.ts. */
  readonly flags: number;
  readonly severity: number;
  readonly service: number;
}

type SqlValue = number | Buffer;

export class RowConditions {
  /**
   * Of `records`, one of a fixed set; with `values` in its order. SQLite passes over rows without
   * the needles for a tenth of what reading them takes.
   */
  readonly sql: string;
  readonly values: readonly SqlValue[];
  readonly minSeverity: number;
  /** The zones in which the transaction that is asked for has rows; undefined: any. */
  readonly zones: ReadonlySet<number> | undefined;
  readonly #flags: WantedFlags;
  readonly #maxSeverity: number;
  readonly #services: readonly [first: number, last: number];

  private constructor(filter: LogConditions, plan: SearchPlan, keys: Keys) {
    const needles = plan.rest === undefined ? [] : needlesOf(plan.rest);
    this.#flags = filter.withSpans === true ? EVERY_RECORD : wantedFlags(filter);
    const least = plan.severities.map((term) => term.least);
    const most = plan.severities.map((term) => term.most);
    this.minSeverity = Math.max(filter.minSeverityNumber ?? MIN_SEVERITY, ...least);
    this.#maxSeverity = Math.min(MAX_SEVERITY, ...most);
    this.#services = keys.services;
    this.zones = keys.zones;
    this.sql = [
      "flags & ? = ? AND severity BETWEEN ? AND ? AND service BETWEEN ? AND ?",
      ...keys.ids.map(({ column }) => `${column} = ?`),
      ...needles.map(() => "instr(payload, ?) > 0"),
    ].join(" AND ");
    const { minSeverity } = this;
    const ids = keys.ids.map(({ value }) => value);
    const { mask, value } = this.#flags;
    const severities = [minSeverity, this.#maxSeverity];
    this.values = [mask, value, ...severities, ...this.#services, ...ids, ...needles];
  }

  /** Undefined where no row of this day can pass. */
  static of(reader: DayReader, filter: LogConditions, plan: SearchPlan): RowConditions | undefined {
    const keys = findKeys(reader, filter, plan);
    return keys === undefined ? undefined : new RowConditions(filter, plan, keys);
  }

  /** What `sql` says of a row that was found by its words, but for the payload; it has no ids. */
  pass({ flags, severity, service }: RowColumns): boolean {
    const [first, last] = this.#services;
    return (
      (flags & this.#flags.mask) === this.#flags.value &&
      severity >= this.minSeverity &&
      severity <= this.#maxSeverity &&
      service >= first &&
      service <= last
    );
  }
}

interface IdCondition {
  readonly column: "transaction_key" | "trace_id" | "span_id";
  readonly value: SqlValue;
}

interface Keys {
  readonly services: readonly [first: number, last: number];
  readonly ids: readonly IdCondition[];
  readonly zones: ReadonlySet<number> | undefined;
}

function findKeys(
  reader: DayReader,
  filter: LogConditions,
  { columns }: SearchPlan,
): Keys | undefined {
  const services = findServices(reader, [filter.service, columns.get("service")]);
  const transaction = findTransactionKey(reader, columns.get("transactionId"));
  const trace = findIdBytes(columns.get("traceId"), TRACE_ID);
  const span = findIdBytes(columns.get("spanId"), SPAN_ID);
  if (services === undefined || transaction === "none" || trace === "none" || span === "none") {
    return undefined;
  }
  const ids: IdCondition[] = [];
  if (transaction !== undefined) ids.push({ column: "transaction_key", value: transaction });
  if (trace !== undefined) ids.push({ column: "trace_id", value: trace });
  if (span !== undefined) ids.push({ column: "span_id", value: span });
  const zones = transaction === undefined ? undefined : zonesOf(reader, transaction);
  return { services, ids, zones };
}

function findServices(
  reader: DayReader,
  names: readonly (string | undefined)[],
): readonly [number, number] | undefined {
  let keys: readonly [number, number] = [0, MAX_SEQ];
  for (const name of names) {
    if (name === undefined) continue;
    const key = reader.findServiceKey(name);
    if (key === undefined || key < keys[0] || key > keys[1]) return undefined;
    keys = [key, key];
  }
  return keys;
}

function findTransactionKey(reader: DayReader, id: string | undefined) {
  if (id === undefined) return undefined;
  return reader.findTransaction(id)?.key ?? "none";
}

function zonesOf(reader: DayReader, transactionKey: number): ReadonlySet<number> {
  const rows = reader.prepare(ZONES_OF_TRANSACTION).all(transactionKey);
  return new Set(rows.map(({ zone }) => Number(zone)));
}

/** "none": no id is written so. */
function findIdBytes(text: string | undefined, form: RegExp): Buffer | "none" | undefined {
  if (text === undefined) return undefined;
  return form.test(text) ? Buffer.from(text, "hex") : "none";
}
