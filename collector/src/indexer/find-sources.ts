import { isTransactionId } from "@clew/instrumentation/transaction-id";
import { decodeAnyValue } from "./any-value.ts";
import type { AttributeScan } from "./attribute-scan.ts";

/** As many as the instrumentation names (`SOURCES_MAX`). */
const SOURCES_MAX = 64;
/** SpanKind CONSUMER: what is sent on from merged messages names their transactions as well. */
const KIND_CONSUMER = 5;
const NONE: readonly string[] = [];

/** The transactions whose messages a consumer span works on; of several at once only. */
export function findSources(
  buffer: Buffer,
  scan: AttributeScan,
  { index, spanKind }: { readonly index: number; readonly spanKind: number },
): readonly string[] {
  if (!scan.has(index) || spanKind !== KIND_CONSUMER) return NONE;
  const named = decodeAnyValue(buffer, scan.range(index));
  if (!Array.isArray(named)) return NONE;
  return [...new Set(named.slice(0, SOURCES_MAX).filter(isTransactionId))];
}
