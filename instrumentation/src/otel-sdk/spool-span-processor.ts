import type { Context } from "@opentelemetry/api";
import type { InstrumentationScope } from "@opentelemetry/core";
import type { ReadableSpan, SpanProcessor, TimedEvent } from "@opentelemetry/sdk-trace";
import type { SpanLimits } from "../tracing/config.ts";
import { RecordedSpan, type Scope, type SpanEvent } from "../tracing/recorded-span.ts";
import { closeCount } from "../tracing/span-logs.ts";
import type { Transaction } from "../transaction/transaction-context.ts";
import { ATTRIBUTE } from "../wire-names.ts";

export interface SpoolSpanProcessorOptions {
  readonly limits: SpanLimits;
  /** Where spans that our own hooks make go as well: sampling, then the recorder. */
  readonly onEnd: (span: RecordedSpan) => void;
}

/**
 * Hands the spans of OpenTelemetry's SDK to where all spans go: numbered, counted and spooled, in
 * the place of its BatchSpanProcessor, which drops without counting. It stands behind
 * `TransactionSpanProcessor`, whose attributes it reads.
 */
export class SpoolSpanProcessor implements SpanProcessor {
  readonly #options: SpoolSpanProcessorOptions;
  /** The encoder tells scopes apart by their identity. */
  readonly #scopes = new WeakMap<InstrumentationScope, Scope>();

  constructor(options: SpoolSpanProcessorOptions) {
    this.#options = options;
  }

  onStart(_span: unknown, _parent: Context): void {
    return; // A span is read once it is over.
  }

  onEnd(span: ReadableSpan): void {
    this.#options.onEnd(this.#toRecordedSpan(span));
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  #toRecordedSpan(span: ReadableSpan): RecordedSpan {
    const { limits } = this.#options;
    const { attributes, transaction, isTransactionStart } = splitAttributes(span);
    const recorded = new RecordedSpan({
      scope: this.#scopeOf(span.instrumentationScope),
      name: span.name,
      kind: span.kind,
      context: span.spanContext(),
      parent: span.parentSpanContext,
      transaction,
      isTransactionStart,
      limits,
      startMicros: toMicros(span.startTime),
      onEnd: () => undefined,
    });
    recorded.attributes.push(...attributes);
    recorded.endMicros = toMicros(span.endTime);
    recorded.statusCode = span.status.code;
    recorded.statusMessage = span.status.message ?? "";
    if (span.events.length > 0) recorded.events = span.events.map(toSpanEvent);
    if (span.links.length > 0) recorded.links = span.links;
    recorded.logs = closeCount(span);
    recorded.droppedAttributes = span.droppedAttributesCount;
    recorded.droppedEvents = span.droppedEventsCount;
    recorded.droppedLinks = span.droppedLinksCount;
    return recorded;
  }

  #scopeOf(of: InstrumentationScope): Scope {
    const known = this.#scopes.get(of);
    if (known !== undefined) return known;
    const scope = { name: of.name, version: of.version ?? "" };
    this.#scopes.set(of, scope);
    return scope;
  }
}

/** The transaction's attributes are written from the transaction itself. */
function splitAttributes(span: ReadableSpan) {
  const {
    [ATTRIBUTE.transactionId]: id,
    [ATTRIBUTE.transactionStart]: start,
    [ATTRIBUTE.spanLogs]: _logs,
    ...others
  } = span.attributes;
  const transaction: Transaction | undefined =
    typeof id === "string" ? { id, isStart: false, callerId: undefined } : undefined;
  return {
    transaction,
    isTransactionStart: start === true,
    attributes: Object.entries(others).flat(),
  };
}

function toSpanEvent({ name, time, attributes = {} }: TimedEvent): SpanEvent {
  return { name, timeMicros: toMicros(time), attributes };
}

function toMicros([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000_000 + Math.round(nanoseconds / 1000);
}
