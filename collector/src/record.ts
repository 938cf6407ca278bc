/** What is known of one log record or span: on its way into the store, and as read back. */

export type RecordKind = "log" | "span";
export const RECORD_KINDS: readonly RecordKind[] = ["log", "span"];

export const TRANSACTION_STATUSES = [
  "running",
  "completed",
  "failed",
  "compensated",
  "timed-out",
] as const;
export type TransactionStatus = (typeof TRANSACTION_STATUSES)[number];

/** What is known about a transaction's records (docs/verdict.md). */
export const VERDICTS = ["complete", "in-flight", "incomplete", "unknown"] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * A record on its way from the bus to the store. Byte fields are views into the bus message
 * (OTLP 1.11 protobuf, `opentelemetry/proto/{logs,trace}/v1`), so nothing is copied or re-encoded.
 */
export interface IncomingRecord {
  readonly kind: RecordKind;
  /** Fixed before publishing: record uid | trace id + span id + kind | request id + part + n. */
  readonly id: string;
  /** The same record may have been written before, on any day: look before creating. */
  readonly mayRepeat: boolean;
  /** Unix time; its day (UTC) is the record's day in the embedded store. */
  readonly receivedNs: bigint;
  /** Unix time of the event; the observed time, then `receivedNs`, where it is missing. */
  readonly timeNs: bigint;
  /** Spans: end − start, never negative. Logs: 0. */
  readonly durationNs: bigint;
  /** Empty where none is known. */
  readonly transactionId: string;
  /** 32 lower-case hex digits, or empty. */
  readonly traceId: string;
  /** 16 lower-case hex digits, or empty. */
  readonly spanId: string;
  readonly parentSpanId: string;
  /** `service.name` of the resource, or `unknown_service`. */
  readonly service: string;
  /** OTLP SeverityNumber, 0 where unset and for spans. */
  readonly severityNumber: number;
  /** Severity ERROR and above, or a span whose status is ERROR. */
  readonly isError: boolean;
  /** OTLP SpanKind, 0 for logs. */
  readonly spanKind: number;
  /** Span without a parent, or one that minted its transaction ID: the transaction's entry. */
  readonly isEntry: boolean;
  /** Set where the record itself states how the transaction ended. */
  readonly transactionStatus: TransactionStatus | "";
  /** Unix time by which the record says the transaction must be over; 0 where it says nothing. */
  readonly deadlineNs: bigint;
  /** A log record by which a service tells of its transaction: a step, a deadline, an end. */
  readonly isTransactionEvent: boolean;
  /** `clew.run.id` of the resource; empty where the service does not number its records. */
  readonly runId: string;
  /** The record's number in its run, from 1, logs and spans apart; 0 where it has none. */
  readonly sequence: number;
  /**
   * Unix time at which it got that number, as near as is known, by the run's clock: a log record's
   * observed time (its own may be any that the service gave it), a span's end.
   */
  readonly numberedNs: bigint;
  /** On a span that works on messages of several transactions at once: the IDs of those. */
  readonly sourceTransactionIds?: readonly string[];
  /** A log record that the span it names does not count (`clew.log.after_span`). */
  readonly isAfterSpan: boolean;
  /** What a run reports of itself; such a record belongs to no transaction and no person's list. */
  readonly report: RunReport | null;
  /** The log's body as text, or the span's name. What full-text search reads. */
  readonly text: string;
  readonly resource: Uint8Array;
  readonly resourceSchemaUrl: string;
  readonly scope: Uint8Array;
  readonly scopeSchemaUrl: string;
  /** The `LogRecord` or `Span` message. */
  readonly payload: Uint8Array;
}

/** What a run says of itself, every few seconds and once at its end (`clew.instance.report`). */
export interface RunReport {
  readonly runId: string;
  readonly service: string;
  /** `service.instance.id`; the run id where it has none. */
  readonly instanceId: string;
  /** `host.name`, or empty. */
  readonly host: string;
  readonly pid: number | null;
  /** Unix time of the earliest report, of those that are kept. */
  readonly firstSeenNs: bigint;
  /** Of the latest; by the run's own clock, but never after its receipt. */
  readonly lastSeenNs: bigint;
  /** It was the run's last: the process ended in order. */
  readonly isFinal: boolean;
  /** The latest report's attributes: cumulative figures by their names (REPORT, wire-names.ts). */
  readonly figures: Attributes;
}

/** SeverityNumber of ERROR: this and above is an error (OpenTelemetry logs data model). */
export const SEVERITY_ERROR = 17;

export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };
export type Attributes = { readonly [key: string]: AttributeValue };

/** A record as the query API gives it. 64-bit integers beyond 2^53 are decimal strings. */
export interface StoredRecord {
  readonly id: string;
  readonly kind: RecordKind;
  /** RFC 3339 with nanoseconds, UTC. */
  readonly time: string;
  readonly receivedAt: string;
  readonly transactionId: string | null;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly parentSpanId: string | null;
  readonly service: string;
  readonly severityText: string;
  readonly severityNumber: number;
  /** Log body as text, or span name. */
  readonly message: string;
  /** The body as sent, where it is not a plain string. */
  readonly body: AttributeValue;
  readonly isError: boolean;
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly scope: string;
  /** Spans only. */
  readonly span: StoredSpan | null;
}

export interface StoredSpan {
  /** internal | server | client | producer | consumer | unspecified */
  readonly kind: string;
  readonly durationMs: number;
  /** unset | ok | error */
  readonly status: string;
  readonly statusMessage: string;
  readonly events: readonly { name: string; time: string; attributes: Attributes }[];
  readonly links: readonly { traceId: string; spanId: string; attributes: Attributes }[];
}
