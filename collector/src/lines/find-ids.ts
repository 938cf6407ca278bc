import { isTransactionId } from "@clew/instrumentation/transaction-id";
import type { JsonValue } from "./json-value.ts";

const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/i;
const SPAN_ID = /^(?!0+$)[0-9a-f]{16}$/i;

export function findTraceId(value: JsonValue | undefined): string | undefined {
  return findHex(value, TRACE_ID);
}

export function findSpanId(value: JsonValue | undefined): string | undefined {
  return findHex(value, SPAN_ID);
}

/** Services that number their transactions may write the number without quotes. */
export function findTransactionId(value: JsonValue | undefined): string | undefined {
  const text = typeof value === "number" || typeof value === "bigint" ? String(value) : value;
  return isTransactionId(text) ? text : undefined;
}

function findHex(value: JsonValue | undefined, pattern: RegExp): string | undefined {
  return typeof value === "string" && pattern.test(value) ? value.toLowerCase() : undefined;
}
