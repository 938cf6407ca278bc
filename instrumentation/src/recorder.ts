import type { LogRecord, Severity } from "./logging/log-record.ts";
import { URGENT_SEVERITY } from "./logging/log-record.ts";
import { nowMicros } from "./now-micros.ts";
import { writeLog } from "./otlp/otlp-log.ts";
import { writeSpan } from "./otlp/otlp-span.ts";
import type { Outbox } from "./spool/outbox.ts";
import { countDropped, countFault, counts, type Signal } from "./stats.ts";
import { RecordedSpan, type Scope, STATUS } from "./tracing/recorded-span.ts";
import { SAMPLED } from "./tracing/trace-context.ts";
import { findContext } from "./transaction/transaction-context.ts";

export interface RecorderOptions {
  readonly outbox: Outbox;
  readonly runId: string;
  readonly logs: boolean;
  readonly traces: boolean;
  /** Told after each record, so that sending can be planned. */
  readonly onRecord: (signal: Signal, urgent: boolean) => void;
}

/** What a logger says of one line; the rest is read from the context it was written in. */
export interface LogLine {
  readonly scope: Scope;
  readonly severity: Severity;
  readonly body: unknown;
  readonly attributes: LogRecord["attributes"];
}

/** Records that user code made while another was being written (a getter that logs). */
const DEFERRED_MAX = 1000;

/** Numbers records, so that each has its uid from the start, and puts them into the outbox. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #uidPrefix: string;
  #isWriting = false;
  readonly #deferred: (() => void)[] = [];

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#uidPrefix = `${options.runId}-`;
  }

  /** A log record, made now. Never throws. */
  log(line: LogLine): void {
    if (!this.#options.logs) return;
    const sequence = ++counts.logs.made;
    const context = findContext();
    const span = context?.span;
    if (span instanceof RecordedSpan) span.logs++;
    const log: LogRecord = {
      timeMicros: nowMicros(),
      severity: line.severity,
      body: line.body,
      attributes: line.attributes,
      transactionId: context?.transaction?.id,
      span: span?.spanContext(),
    };
    this.#write("logs", log.transactionId, () => {
      const writer = this.#options.outbox.open("logs", line.scope);
      writeLog(writer, log, this.#uidPrefix + sequence);
      return line.severity.number >= URGENT_SEVERITY;
    });
  }

  /** A span that has ended. Never throws. An unsampled one leaves nothing. */
  span(span: RecordedSpan): void {
    if (!this.#options.traces || (span.spanContext().traceFlags & SAMPLED) === 0) return;
    const sequence = ++counts.traces.made;
    this.#write("traces", span.transaction?.id, () => {
      const writer = this.#options.outbox.open("traces", span.scope);
      writeSpan(writer, span, sequence);
      return span.statusCode === STATUS.error;
    });
  }

  /** @param encode writes the record and tells whether it is urgent */
  #write(signal: Signal, transactionId: string | undefined, encode: () => boolean): void {
    if (this.#isWriting) {
      this.#defer(signal, transactionId, encode);
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
    while (this.#deferred.length > 0) this.#deferred.shift()?.();
  }

  /** Records share one buffer, so one that is made inside another waits for its end. */
  #defer(signal: Signal, transactionId: string | undefined, encode: () => boolean): void {
    if (this.#deferred.length < DEFERRED_MAX) {
      this.#deferred.push(() => this.#write(signal, transactionId, encode));
    } else {
      countDropped(signal, 1, transactionId === undefined ? [] : [transactionId]);
    }
  }
}
