/** What lies in `_source` as the records that a store gives (document-fields.ts). */
import type { Attributes, AttributeValue, StoredRecord, StoredSpan } from "../../../record.ts";
import type { RecordDocument } from "../document-fields.ts";
import type { Hit } from "./search-client.ts";

export function toStoredRecord({ id, source: document }: Hit<RecordDocument>): StoredRecord {
  const { clew, span, message = "" } = document;
  return {
    id,
    kind: clew.kind,
    time: document["@timestamp"],
    receivedAt: clew.received,
    transactionId: document.transaction_id ?? null,
    traceId: document.trace_id ?? null,
    spanId: document.span_id ?? null,
    parentSpanId: document.parent_span_id ?? null,
    service: document.service.name,
    severityText: document.severity_text ?? "",
    severityNumber: document.severity_number ?? 0,
    message,
    body: clew.body === true ? (JSON.parse(message) as AttributeValue) : null,
    isError: clew.error === true,
    attributes: attributesOf(document.attributes, clew.attributes),
    resource: attributesOf(document.resource?.attributes, clew.resource),
    scope: document.scope?.name ?? "",
    span: span === undefined ? null : toStoredSpan(span),
  };
}

function toStoredSpan(span: NonNullable<RecordDocument["span"]>): StoredSpan {
  return {
    kind: span.kind,
    durationMs: span.duration / 1e6,
    status: span.status ?? "unset",
    statusMessage: span.status_message ?? "",
    events: span.events ?? [],
    links: span.links ?? [],
  };
}

/** All of them are kept as text where some could not be indexed. */
function attributesOf(indexed: Attributes | undefined, kept: string | undefined): Attributes {
  return kept === undefined ? (indexed ?? {}) : (JSON.parse(kept) as Attributes);
}
