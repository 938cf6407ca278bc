import type { Resource } from "@opentelemetry/resources";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { SdkExporter } from "../otlp/config.ts";
import type { RecordSink } from "../recorder.ts";
import { counts, newSignalStats, type Signal } from "../stats.ts";
import { EMPTY_CONTEXT, runIn } from "../transaction/transaction-context.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import type { BatchSettings, SdkSettings } from "./config.ts";
import { ExportQueue, type RecordExporter } from "./export-queue.ts";
import { toReadableLog } from "./readable-log.ts";
import { toReadableSpan } from "./readable-span.ts";
import { createLogExporter, createSpanExporter } from "./record-exporters.ts";

export interface RecordExportsOptions {
  readonly settings: SdkSettings;
  readonly resource: Resource;
  readonly isSpooled: Readonly<Record<Signal, boolean>>;
  readonly report: (message: string) => void;
}

/** The SDK's exporters, each behind a queue of ours. */
export interface RecordExports {
  readonly sink: RecordSink;
  readonly isEmpty: boolean;
  drain(deadlineMs: number): Promise<void>;
  /** Counts what was not delivered as dropped; says how many records that were. */
  abandon(): number;
}

interface Lane<T> {
  readonly push: (record: T) => void;
  readonly queue: ExportQueue<T> | undefined;
}

/** Makes the exporters that `OTEL_*_EXPORTER` and `OTEL_EXPORTER_OTLP_*_PROTOCOL` ask for. */
export function startRecordExports(options: RecordExportsOptions): RecordExports {
  const { settings, resource } = options;
  const spans = createLanes<ReadableSpan>({
    ...options,
    signal: "traces",
    names: settings.traceExporters,
    batches: settings.spanBatches,
    create: createSpanExporter,
  });
  const logs = createLanes<ReadableLogRecord>({
    ...options,
    signal: "logs",
    names: settings.logExporters,
    batches: settings.logBatches,
    create: createLogExporter,
  });
  const queues = [...spans, ...logs].flatMap(({ queue }) => queue ?? []);
  return {
    sink: {
      ...(spans.length > 0 && {
        span: (span, sequence) => {
          const readable = toReadableSpan(span, { sequence, resource });
          for (const lane of spans) lane.push(readable);
        },
      }),
      ...(logs.length > 0 && {
        log: (log, of) => {
          const readable = toReadableLog(log, { ...of, resource });
          for (const lane of logs) lane.push(readable);
        },
      }),
    },
    get isEmpty() {
      return queues.every((queue) => queue.isEmpty);
    },
    drain: async (deadlineMs) => {
      await Promise.all(queues.map((queue) => queue.drain(deadlineMs)));
    },
    abandon: () => queues.reduce((sum, queue) => sum + queue.abandon(), 0),
  };
}

interface LaneOptions<T> extends RecordExportsOptions {
  readonly signal: Signal;
  readonly names: readonly SdkExporter[];
  readonly batches: BatchSettings;
  readonly create: (name: SdkExporter) => RecordExporter<T>;
}

/** The first exporter accounts for the signal, unless the spool does; the others for themselves. */
function createLanes<T extends { readonly attributes: Readonly<Record<string, unknown>> }>(
  options: LaneOptions<T>,
): Lane<T>[] {
  const { signal, names, isSpooled } = options;
  const main = isSpooled[signal] ? undefined : names[0];
  return names.map((name) => {
    const isMain = name === main;
    const stats = isMain ? counts[signal] : statsOf(`${name} ${signal}`);
    const exporter = options.create(name);
    if (name === "console") return printLane(exporter, stats);
    const queue = new ExportQueue<T>({
      ...options,
      name,
      exporter,
      stats,
      transactionIdOf: isMain ? findTransactionId : undefined,
    });
    return { queue, push: (record) => queue.push(record) };
  });
}

/** The console is printed to at once: a developer reads along. */
function printLane<T>(exporter: RecordExporter<T>, stats: { delivered: number }): Lane<T> {
  const context = EMPTY_CONTEXT.with({ suppressed: true });
  const push = (record: T) => {
    runIn(context, () => exporter.export([record], () => stats.delivered++));
  };
  return { push, queue: undefined };
}

function statsOf(name: string) {
  const stats = newSignalStats();
  counts.exporters[name] = stats;
  return stats;
}

function findTransactionId(record: { attributes: Readonly<Record<string, unknown>> }) {
  const id = record.attributes[ATTRIBUTE.transactionId];
  return typeof id === "string" ? id : undefined;
}
