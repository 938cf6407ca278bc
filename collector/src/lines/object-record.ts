import { findEventTime } from "./event-time.ts";
import { takeException } from "./exception-fields.ts";
import { FieldTable, type Place, ROLES, type Role } from "./field-table.ts";
import { findSpanId, findTraceId, findTransactionId } from "./find-ids.ts";
import { withInnerLine } from "./inner-line.ts";
import { findValue, isObject, type JsonObject, type JsonValue } from "./json-value.ts";
import type { LineRecord } from "./line-record.ts";
import { findOtelDocument } from "./otel-document.ts";
import { findSeverity, findSeverityNumber, type Severity } from "./severity.ts";

/**
 * What a JSON object says as a log line. It keeps all of its fields as attributes, apart from those
 * that have a place of their own in a log record.
 * @param text the object as it was sent, which is the body where it has no message.
 */
export function readObject(
  json: JsonObject,
  text: string,
  transactionKeys: readonly string[],
): LineRecord {
  const found = new FoundFields();
  found.readAll(json, FieldTable.of(transactionKeys));
  const { timeNs, severity, traceId, spanId, service, host, transactionId } = found;
  const otel = findOtelDocument(json, transactionKeys);
  if (otel !== undefined) {
    const body = otel.body ?? text;
    return { ...otel, timeNs, severity, traceId, spanId, body };
  }
  const attributes = takeException(found.rest(json));
  const body = found.body ?? text;
  const record = { timeNs, severity, body, attributes, traceId, spanId, service, host };
  const line = { ...record, transactionId };
  return found.body === undefined ? line : withInnerLine(line, transactionKeys);
}

const NOT_FOUND: readonly number[] = ROLES.map(() => Number.POSITIVE_INFINITY);
const INDEXES = Object.fromEntries(ROLES.map((role, index) => [role, index])) as Readonly<
  Record<Role, number>
>;

/** The best value of each role that was met so far. */
class FoundFields {
  timeNs: bigint | undefined;
  body: string | undefined;
  traceId: string | undefined;
  spanId: string | undefined;
  service: string | undefined;
  host: string | undefined;
  transactionId: string | undefined;
  #level: Severity | undefined;
  #severityNumber: number | undefined;
  /** By role: the rank of what was found, and the key that it takes with it. */
  readonly #ranks: number[] = NOT_FOUND.slice();
  readonly #taken: (string | undefined)[] = [];

  get severity(): Severity | undefined {
    if (this.#severityNumber === undefined) return this.#level;
    return findSeverityNumber(this.#severityNumber, this.#level?.text);
  }

  readAll(json: JsonObject, table: FieldTable): void {
    for (const key in json) {
      const places = table.find(key);
      if (places === undefined) continue;
      for (const place of places) this.#read(json, key, place);
    }
  }

  /** What is left: only a value that was understood leaves the attributes. */
  rest(json: JsonObject): JsonObject {
    const taken = this.#taken;
    const rest: Record<string, JsonValue> = {};
    for (const key of Object.keys(json)) {
      if (taken.includes(key)) continue;
      const value = json[key] as JsonValue;
      if (key !== "__proto__") rest[key] = value;
      else Object.defineProperty(rest, key, { value, enumerable: true });
    }
    return rest;
  }

  #read(json: JsonObject, key: string, { role, rank, rest }: Place): void {
    const index = INDEXES[role];
    if ((this.#ranks[index] as number) <= rank) return;
    const at = json[key];
    const value = rest === "" ? at : isObject(at) ? findValue(at, rest) : undefined;
    if (value === undefined || !this.#understand(role, value)) return;
    this.#ranks[index] = rank;
    this.#taken[index] = rest === "" && role !== "transactionId" ? key : undefined;
  }

  /** Whether the value is one of that role; then it is kept. */
  #understand(role: Role, value: JsonValue): boolean {
    switch (role) {
      case "time":
        return isFound(findEventTime(value), (found) => (this.timeNs = found));
      case "level":
        return isFound(findSeverity(value), (found) => (this.#level = found));
      case "severityNumber":
        return isFound(asSeverityNumber(value), (found) => (this.#severityNumber = found));
      case "message":
        return isFound(asText(value), (found) => (this.body = found));
      case "traceId":
        return isFound(findTraceId(value), (found) => (this.traceId = found));
      case "spanId":
        return isFound(findSpanId(value), (found) => (this.spanId = found));
      case "service":
        return isFound(asName(value), (found) => (this.service = found));
      case "host":
        return isFound(asName(value), (found) => (this.host = found));
      case "transactionId":
        return isFound(findTransactionId(value), (found) => (this.transactionId = found));
    }
  }
}

function isFound<T>(value: T | undefined, keep: (value: T) => void): boolean {
  if (value === undefined) return false;
  keep(value);
  return true;
}

function asSeverityNumber(value: JsonValue): number | undefined {
  return typeof value === "number" && findSeverityNumber(value) !== undefined ? value : undefined;
}

function asText(value: JsonValue): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function asName(value: JsonValue): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
