import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { IncomingRecord } from "../../record.ts";
import { WHOLE_DAY } from "./day-schema.ts";
import {
  addDuration,
  type DurationHistogram,
  decodeDurations,
  encodeDurations,
  mergeDurations,
} from "./duration-histogram.ts";
import type { ServiceNames } from "./intern-table.ts";
import { OPERATION_CHARS_MAX, storableNs } from "./transaction-state.ts";

/** Operations of one service in one day file; what comes after them counts as `other`. */
export const OPERATIONS_PER_SERVICE_MAX = 200;
export const OTHER_OPERATION = "other";
const MINUTE_NS = 60_000_000_000n;
/** OTLP SpanKind: server and consumer spans are a service's own work for others. */
const SPAN_KINDS_COUNTED = new Set([2, 5]);

interface OperationFigures {
  readonly operation: string;
  readonly durations: DurationHistogram;
  count: number;
  errors: number;
}

interface ServiceFigures {
  readonly minute: number;
  readonly service: number;
  readonly operations: Map<string, OperationFigures>;
  logs: number;
  errorLogs: number;
  spans: number;
  lastSeenNs: bigint;
}

/**
 * Figures per service and operation: added up per batch in memory, then written once per minute
 * and once for the whole day. After a failed batch it must be thrown away.
 */
export class ServiceRollup {
  /** By service name, then minute, of this batch. */
  private readonly batch = new Map<string, Map<number, ServiceFigures>>();
  private readonly operations = new Map<number, Set<string>>();
  private readonly services: ServiceNames;
  private readonly upsertService: StatementSync;
  private readonly selectOperation: StatementSync;
  private readonly upsertOperation: StatementSync;
  private minute = 0;
  private minuteStartNs = 0n;

  constructor(db: DatabaseSync, services: ServiceNames) {
    this.services = services;
    this.upsertService = db.prepare(`
      INSERT INTO service_minutes (minute, service, logs, error_logs, spans, last_seen)
      VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
        logs = logs + excluded.logs, error_logs = error_logs + excluded.error_logs,
        spans = spans + excluded.spans, last_seen = max(last_seen, excluded.last_seen)`);
    this.selectOperation = db.prepare(`
      SELECT durations FROM operation_minutes WHERE minute = ? AND service = ? AND operation = ?`);
    this.upsertOperation = db.prepare(`
      INSERT INTO operation_minutes (minute, service, operation, count, errors, durations)
      VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count,
        errors = errors + excluded.errors, durations = excluded.durations`);
    const known = db.prepare("SELECT service, operation FROM operation_minutes WHERE minute = ?");
    for (const row of known.iterate(WHOLE_DAY)) {
      this.isKnownOperation(Number(row.service), String(row.operation));
    }
  }

  add(record: IncomingRecord): void {
    const timeNs = storableNs(record.timeNs);
    const figures = this.figures(record.service, this.minuteOf(timeNs));
    if (timeNs > figures.lastSeenNs) figures.lastSeenNs = timeNs;
    // A report shows that the service lives and is none of its work.
    if (record.report !== null) return;
    if (record.kind === "log") {
      figures.logs++;
      if (record.isError) figures.errorLogs++;
      return;
    }
    figures.spans++;
    if (record.isEntry || SPAN_KINDS_COUNTED.has(record.spanKind)) addSpan(figures, record);
  }

  /** Writes what was added since the last time, within the batch's own database transaction. */
  save(): void {
    for (const byMinute of this.batch.values()) {
      for (const figures of byMinute.values()) {
        for (const minute of [figures.minute, WHOLE_DAY]) this.saveFigures(minute, figures);
      }
    }
    this.batch.clear();
  }

  private saveFigures(minute: number, figures: ServiceFigures): void {
    const { service, logs, errorLogs, spans, lastSeenNs } = figures;
    this.upsertService.run(minute, service, logs, errorLogs, spans, lastSeenNs);
    for (const { operation, count, errors, durations } of figures.operations.values()) {
      const name = this.isKnownOperation(service, operation) ? operation : OTHER_OPERATION;
      const stored = this.selectOperation.get(minute, service, name)?.durations;
      const sum: DurationHistogram = new Map(durations);
      if (stored instanceof Uint8Array) mergeDurations(sum, decodeDurations(stored));
      this.upsertOperation.run(minute, service, name, count, errors, encodeDurations(sum));
    }
  }

  /** The first so many operations of a service are known by name. */
  private isKnownOperation(service: number, operation: string): boolean {
    let known = this.operations.get(service);
    if (known === undefined) {
      known = new Set();
      this.operations.set(service, known);
    }
    if (known.has(operation)) return true;
    if (known.size >= OPERATIONS_PER_SERVICE_MAX) return false;
    known.add(operation);
    return true;
  }

  private figures(service: string, minute: number): ServiceFigures {
    let byMinute = this.batch.get(service);
    if (byMinute === undefined) {
      byMinute = new Map();
      this.batch.set(service, byMinute);
    }
    let figures = byMinute.get(minute);
    if (figures === undefined) {
      const counts = { logs: 0, errorLogs: 0, spans: 0, lastSeenNs: 0n };
      figures = { minute, service: this.services.keyOf(service), operations: new Map(), ...counts };
      byMinute.set(minute, figures);
    }
    return figures;
  }

  /** Division of bigints costs more than all the rest here; most records share their minute. */
  private minuteOf(timeNs: bigint): number {
    if (timeNs < this.minuteStartNs || timeNs >= this.minuteStartNs + MINUTE_NS) {
      const minute = timeNs / MINUTE_NS;
      this.minute = Number(minute);
      this.minuteStartNs = minute * MINUTE_NS;
    }
    return this.minute;
  }
}

function addSpan({ operations }: ServiceFigures, record: IncomingRecord): void {
  const operation = record.text.slice(0, OPERATION_CHARS_MAX);
  let figures = operations.get(operation);
  if (figures === undefined) {
    figures = { operation, durations: new Map(), count: 0, errors: 0 };
    operations.set(operation, figures);
  }
  figures.count++;
  if (record.isError) figures.errors++;
  addDuration(figures.durations, record.durationNs);
}
