import type { SpanContext } from "@opentelemetry/api";

/** OTLP's severity: 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal. */
export interface Severity {
  readonly number: number;
  readonly text: string;
}

export const SEVERITY = {
  trace: { number: 1, text: "TRACE" },
  debug: { number: 5, text: "DEBUG" },
  info: { number: 9, text: "INFO" },
  warn: { number: 13, text: "WARN" },
  error: { number: 17, text: "ERROR" },
  fatal: { number: 21, text: "FATAL" },
} as const satisfies Record<string, Severity>;

/** From here on a record is sent at once. */
export const URGENT_SEVERITY = SEVERITY.error.number;

export interface LogRecord {
  readonly timeMicros: number;
  /** When it was made and got its number, whatever time it tells. */
  readonly observedMicros: number;
  readonly severity: Severity;
  readonly body: unknown;
  /** Written one after the other; of a key that is in several, the last one's value counts. */
  readonly attributes: readonly Readonly<Record<string, unknown>>[];
  readonly transactionId: string | undefined;
  readonly span: SpanContext | undefined;
  /** That span does not count it: it had ended, or is of another transaction. */
  readonly isAfterSpan: boolean;
}
