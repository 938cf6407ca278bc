import type { LogRecord, Severity } from "./logging/log-record.ts";
import { URGENT_SEVERITY } from "./logging/log-record.ts";
import { nowMicros } from "./now-micros.ts";
import { writeHeldSpan } from "./otlp/held-span.ts";
import { writeLog } from "./otlp/otlp-log.ts";
import { writeSpan } from "./otlp/otlp-span.ts";
import type { Outbox } from "./spool/outbox.ts";
import { countDropped, countFault, counts, type Signal } from "./stats.ts";
import type { LogLimits } from "./tracing/config.ts";
import type { HeldRecord } from "./tracing/held-spans-ring.ts";
import { limitLogAttributes } from "./tracing/limit-attributes.ts";
import { type RecordedSpan, type Scope, STATUS } from "./tracing/recorded-span.ts";
import { countLogUnder } from "./tracing/span-logs.ts";
import { SAMPLED } from "./tracing/trace-context.ts";
import { findContext, type TransactionContext } from "./transaction/transaction-context.ts";

export interface RecorderOptions {
  readonly outbox: Outbox;
  readonly runId: string;
  readonly logs: boolean;
  readonly traces: boolean;
  /** Set where the service set them: limits of a log record's attributes. */
  readonly logLimits?: LogLimits | undefined;
  /** Told of each log record of severity error and up: its transaction, or its trace. */
  readonly onError?: (id: string) => void;
  /** Told after each record, so that sending can be planned. */
  readonly onRecord: (signal: Signal, urgent: boolean) => void;
}

/** Where records go beside the outbox: exporters of OpenTelemetry's SDK. */
export interface RecordSink {
  readonly log?: (log: LogRecord, of: { readonly uid: string; readonly scope: Scope }) => void;
  readonly span?: (span: RecordedSpan, sequence: number) => void;
}

/** What a logger says of one line; the rest is read from the context it was written in. */
export interface LogLine {
  readonly scope: Scope;
  readonly severity: Severity;
  readonly body: unknown;
  readonly attributes: LogRecord["attributes"];
  /** Unix time of the call, where the line reaches us later. */
  readonly timeMicros?: number | undefined;
}

/** Records that user code made while another was being written (a getter that logs). */
const DEFERRED_MAX = 1000;

/** Numbers records, so that each has its uid from the start, and puts them into the outbox. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #uidPrefix: string;
  #sink: RecordSink = {};
  #isWriting = false;
  readonly #deferred: (() => void)[] = [];

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#uidPrefix = `${options.runId}-`;
  }

  /** Gives records to exporters of OpenTelemetry's SDK as well. */
  tellAlso(sink: RecordSink): void {
    this.#sink = sink;
  }

  /** A log record, made now. Never throws. */
  log(line: LogLine): void {
    const sink = this.#sink.log;
    if (!this.#options.logs && sink === undefined) return;
    const sequence = ++counts.logs.made;
    const context = findContext();
    const span = context?.span;
    const transactionId = context?.transaction?.id;
    const isCounted = countLogUnder(span, transactionId);
    if (line.severity.number >= URGENT_SEVERITY) this.#noteError(context);
    const observedMicros = nowMicros();
    const log: LogRecord = {
      timeMicros: line.timeMicros ?? observedMicros,
      observedMicros,
      severity: line.severity,
      body: line.body,
      attributes: this.#limited(line.attributes),
      transactionId,
      span: span?.spanContext(),
      isAfterSpan: !isCounted,
    };
    if (sink !== undefined) this.#tellLog(log, line.scope, sequence);
    if (!this.#options.logs) return;
    if (this.#isWriting) this.#deferLog(log, line.scope, sequence);
    else this.#writeLog(log, line.scope, sequence);
  }

  #tellLog(log: LogRecord, scope: Scope, sequence: number): void {
    const of = { uid: this.#uidPrefix + sequence, scope };
    this.#tell("logs", log.transactionId, () => this.#sink.log?.(log, of));
  }

  #deferLog(log: LogRecord, scope: Scope, sequence: number): void {
    this.#defer("logs", log.transactionId, () => this.#writeLog(log, scope, sequence));
  }

  /** On the path of each line, and so without a closure or an object made for it. */
  #writeLog(log: LogRecord, scope: Scope, sequence: number): void {
    const { outbox, onRecord } = this.#options;
    this.#isWriting = true;
    try {
      const uid = { prefix: this.#uidPrefix, sequence };
      writeLog(outbox.open("logs", scope), log, uid);
      const isUrgent = log.severity.number >= URGENT_SEVERITY;
      outbox.commit("logs", isUrgent);
      onRecord("logs", isUrgent);
    } catch (error) {
      outbox.rollback("logs");
      countFault("log-record", error);
      countDropped("logs", 1, log.transactionId === undefined ? [] : [log.transactionId]);
    } finally {
      this.#isWriting = false;
    }
    if (this.#deferred.length > 0) this.#goOn();
  }

  /** A span that has ended, or what sampling left of it. Never throws. */
  span(span: RecordedSpan): void {
    const isSampled = (span.spanContext().traceFlags & SAMPLED) === SAMPLED;
    const sink = isSampled ? this.#sink.span : undefined;
    if (!this.#options.traces && sink === undefined) return;
    const sequence = ++counts.traces.made;
    if (sink !== undefined) {
      this.#tell("traces", span.transaction?.id, () => sink(span, sequence));
      if (!this.#options.traces) return;
    }
    this.#write("traces", span.transaction?.id, () => {
      const writer = this.#options.outbox.open("traces", span.scope);
      writeSpan(writer, span, sequence);
      return span.statusCode === STATUS.error;
    });
  }

  /** A span that was held, with the number it gets now. Never throws. */
  heldSpan(held: HeldRecord, isSummary: boolean): void {
    if (!this.#options.traces) return;
    const sequence = ++counts.traces.made;
    // What waits for another record's end is written when the ring may hold something else.
    const bytes = this.#isWriting ? new Uint8Array(held.bytes) : held.bytes;
    this.#write("traces", held.isInTransaction ? held.id : undefined, () => {
      const writer = this.#options.outbox.open("traces", held.scope);
      writeHeldSpan(writer, { bytes, sequence, isSummary });
      return false;
    });
  }

  #noteError(context: TransactionContext | undefined): void {
    const id = context?.transaction?.id ?? context?.span?.spanContext().traceId;
    if (id !== undefined) this.#options.onError?.(id);
  }

  #limited(attributes: LogLine["attributes"]): LogLine["attributes"] {
    const { logLimits } = this.#options;
    return logLimits === undefined ? attributes : limitLogAttributes(attributes, logLimits);
  }

  /** The sink reads what user code made, which may log while it is read. */
  #tell(signal: Signal, transactionId: string | undefined, body: () => void): void {
    if (this.#isWriting) {
      this.#defer(signal, transactionId, () => this.#tell(signal, transactionId, body));
      return;
    }
    this.#isWriting = true;
    try {
      body();
    } catch (error) {
      countFault("otel-sdk", error);
    } finally {
      this.#isWriting = false;
    }
    this.#goOn();
  }

  /** @param encode writes the record and tells whether it is urgent */
  #write(signal: Signal, transactionId: string | undefined, encode: () => boolean): void {
    if (this.#isWriting) {
      this.#defer(signal, transactionId, () => this.#write(signal, transactionId, encode));
      return;
    }
    const { outbox } = this.#options;
    this.#isWriting = true;
    try {
      const isUrgent = encode();
      outbox.commit(signal, isUrgent);
      this.#options.onRecord(signal, isUrgent);
    } catch (error) {
      outbox.rollback(signal);
      countFault(signal === "logs" ? "log-record" : "span", error);
      countDropped(signal, 1, transactionId === undefined ? [] : [transactionId]);
    } finally {
      this.#isWriting = false;
    }
    this.#goOn();
  }

  #goOn(): void {
    while (this.#deferred.length > 0) this.#deferred.shift()?.();
  }

  /** Records share one buffer, so one that is made inside another waits for its end. */
  #defer(signal: Signal, transactionId: string | undefined, body: () => void): void {
    if (this.#deferred.length < DEFERRED_MAX) {
      this.#deferred.push(body);
    } else {
      countDropped(signal, 1, transactionId === undefined ? [] : [transactionId]);
    }
  }
}
