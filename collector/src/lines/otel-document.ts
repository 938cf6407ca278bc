import { SEMANTIC } from "@clew/instrumentation/names";
import { findTransactionId } from "./find-ids.ts";
import { findValue, isObject, type JsonObject, type JsonValue, jsonText } from "./json-value.ts";

/** The parts of a log record that only such a document spells in its own way. */
export interface OtelDocument {
  readonly body: string | undefined;
  readonly attributes: JsonObject;
  /** Of its resource, beside service and host. */
  readonly resource: JsonObject;
  readonly service: string | undefined;
  readonly host: string | undefined;
  readonly transactionId: string | undefined;
}

/** What has a place of its own in a log record, or says nothing of the event. */
const ENVELOPE = new Set([
  ...["@timestamp", "observed_timestamp", "severity_text", "severity_number"],
  ...["trace_id", "span_id", "body", "attributes", "resource", "dropped_attributes_count"],
]);

/**
 * A document in the OpenTelemetry Collector's own shape (its Elasticsearch exporter, mapping mode
 * `otel`): `{"@timestamp", severity_text, severity_number, trace_id, span_id, body: {text |
 * structured}, attributes: {…}, resource: {attributes: {…}}, scope: {…}, data_stream: {…}}`.
 */
export function findOtelDocument(
  json: JsonObject,
  transactionKeys: readonly string[],
): OtelDocument | undefined {
  const { resource, body, attributes = {} } = json;
  if (!isObject(resource) || !isObject(resource.attributes) || !isObject(attributes)) {
    return undefined;
  }
  const others = Object.entries(json).filter(([key]) => !ENVELOPE.has(key));
  const {
    [SEMANTIC.serviceName]: service,
    [SEMANTIC.hostName]: host,
    ...rest
  } = resource.attributes;
  const holders = [attributes, json, resource.attributes];
  return {
    body: bodyOf(body),
    attributes: Object.fromEntries([...others, ...Object.entries(attributes)]),
    resource: rest,
    service: textOf(service),
    host: textOf(host),
    transactionId: firstId(holders, transactionKeys),
  };
}

function bodyOf(body: JsonValue | undefined): string | undefined {
  const value = isObject(body) ? (body.text ?? body.structured ?? body) : body;
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : jsonText(value);
}

function firstId(holders: readonly JsonObject[], keys: readonly string[]): string | undefined {
  for (const key of keys) {
    for (const holder of holders) {
      const id = findTransactionId(findValue(holder, key));
      if (id !== undefined) return id;
    }
  }
  return undefined;
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
