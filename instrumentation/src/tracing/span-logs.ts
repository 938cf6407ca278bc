import type { Span } from "@opentelemetry/api";
import { ATTRIBUTE } from "../wire-names.ts";
import { RecordedSpan } from "./recorded-span.ts";

/**
 * On a span that another SDK made: how many log records were made under it. A property and no
 * WeakMap, because V8 keeps a young map's values through its small collections.
 */
const LOGS = Symbol.for(ATTRIBUTE.spanLogs);

/** Counts one log record made under a span, whoever made the span. */
export function countLogUnder(span: Span | undefined): void {
  if (span instanceof RecordedSpan) span.logs++;
  else if (span !== undefined) Reflect.set(span, LOGS, logsUnder(span) + 1);
}

/** How many log records were made so far under a span of another SDK. */
export function logsUnder(span: object): number {
  const logs: unknown = Reflect.get(span, LOGS);
  return typeof logs === "number" ? logs : 0;
}
