import { type JsonObject, parseJson } from "./json-value.ts";
import { readObject } from "./object-record.ts";
import type { Severity } from "./severity.ts";
import {
  findTextSeverity,
  findTextSpanId,
  findTextTime,
  findTextTraceId,
  findTextTransactionId,
} from "./text-fields.ts";

/** What one line of a log says. */
export interface LineRecord {
  /** Unix time of the event; undefined where the line has none. */
  readonly timeNs: bigint | undefined;
  readonly severity: Severity | undefined;
  readonly body: string;
  readonly attributes: JsonObject;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly service: string | undefined;
  readonly transactionId: string | undefined;
  /** `host.name` of the resource. */
  readonly host?: string | undefined;
  /** What the resource has beside. */
  readonly resource?: JsonObject | undefined;
}

/**
 * Reads one line: a JSON object keeps all of its fields, anything else is text.
 * @param transactionKeys names that hold the transaction ID, first present wins; dots go deeper.
 */
export function readLine(line: string, transactionKeys: readonly string[]): LineRecord {
  if (line.trimStart().startsWith("{")) {
    const parsed = parseJson(line);
    if (parsed.kind === "object") return readObject(parsed.json, line, transactionKeys);
  }
  return readText(line, transactionKeys);
}

/** A line that is no JSON object: what is said of it is looked for in the text. */
export function readText(line: string, transactionKeys: readonly string[]): LineRecord {
  return {
    timeNs: findTextTime(line),
    severity: findTextSeverity(line),
    body: line,
    attributes: {},
    traceId: findTextTraceId(line),
    spanId: findTextSpanId(line),
    service: undefined,
    transactionId: findTextTransactionId(line, transactionKeys),
  };
}
