import { type JsonObject, parseJson } from "./json-value.ts";
import type { LineRecord } from "./line-record.ts";
import { readObject } from "./object-record.ts";
import {
  findTextSeverity,
  findTextSpanId,
  findTextTraceId,
  findTextTransactionId,
} from "./text-fields.ts";

/**
 * A shipper that reads files wraps each line in a document of its own, so a service's line comes as
 * text within JSON. A JSON line is read as any (Beats without a decoder, Fluent Bit without
 * `Merge_Log`): what the service itself said counts before what its shipper did, and nothing of
 * either is lost. Of a line of text what the document lacks is looked for.
 */
export function withInnerLine(outer: LineRecord, transactionKeys: readonly string[]): LineRecord {
  const text = outer.body.endsWith("\n") ? outer.body.replace(/\r?\n$/, "") : outer.body;
  const isObject = text.startsWith("{") && text.endsWith("}");
  const parsed = isObject ? parseJson(text) : undefined;
  if (parsed?.kind !== "object") {
    return {
      ...outer,
      body: text,
      severity: outer.severity ?? findTextSeverity(text),
      traceId: outer.traceId ?? findTextTraceId(text),
      spanId: outer.spanId ?? findTextSpanId(text),
      transactionId: outer.transactionId ?? findTextTransactionId(text, transactionKeys),
    };
  }
  const inner = readObject(parsed.json, text, transactionKeys);
  return {
    timeNs: inner.timeNs ?? outer.timeNs,
    severity: inner.severity ?? outer.severity,
    body: inner.body,
    attributes: merge(outer.attributes, inner.attributes),
    traceId: inner.traceId ?? outer.traceId,
    spanId: inner.spanId ?? outer.spanId,
    service: inner.service ?? outer.service,
    host: inner.host ?? outer.host,
    transactionId: inner.transactionId ?? outer.transactionId,
  };
}

/** Side by side; where both have a key, those of the line stay together below one key. */
function merge(outer: JsonObject, inner: JsonObject): JsonObject {
  const isFree = (key: string) => !Object.hasOwn(outer, key);
  if (Object.keys(inner).every(isFree)) return { ...outer, ...inner };
  return { ...outer, [["message", "log"].find(isFree) ?? "line"]: inner };
}
