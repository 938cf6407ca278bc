/** Spans as the store gives them back, in few words. */
import type { Attributes, StoredRecord, StoredSpan } from "../src/record.ts";

export interface SpanSample {
  readonly id: string;
  readonly parent?: string;
  readonly service: string;
  readonly kind: string;
  readonly name?: string;
  readonly trace?: string;
  /** Milliseconds after 12:00. */
  readonly at?: number | null;
  readonly ms?: number;
  readonly attributes?: Attributes;
  readonly resource?: Attributes;
  readonly status?: string;
  readonly statusMessage?: string;
  readonly links?: readonly string[];
  readonly events?: StoredSpan["events"];
}

/** A span of one transaction, that begins at noon. */
export function sampleSpan(sample: SpanSample): StoredRecord {
  const { id, parent, service, kind, name = "work", trace = "t1", at = 0, ms = 10 } = sample;
  const time = at === null ? "" : new Date(Date.UTC(2026, 0, 31, 12) + at).toISOString();
  return {
    id: `${trace}-${id}-${kind}`,
    kind: "span",
    time,
    receivedAt: time,
    transactionId: "order-1",
    traceId: trace,
    spanId: id,
    parentSpanId: parent ?? null,
    service,
    severityText: "",
    severityNumber: 0,
    message: name,
    body: name,
    isError: sample.status === "error",
    attributes: sample.attributes ?? {},
    resource: sample.resource ?? {},
    scope: "",
    span: {
      kind,
      durationMs: ms,
      status: sample.status ?? "unset",
      statusMessage: sample.statusMessage ?? "",
      events: sample.events ?? [],
      links: (sample.links ?? []).map((spanId) => ({ traceId: trace, spanId, attributes: {} })),
    },
  };
}
