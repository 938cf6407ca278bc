import { ATTRIBUTE, SEMANTIC } from "@clew/instrumentation/names";
import type { AttributeValue, StoredRecord } from "../../record.ts";
import { SEMANTIC_ALIASES } from "../../wire-names.ts";
import { findRfc3339 } from "../rfc3339.ts";
import { MS_NS } from "./settle-times.ts";

/** Of one span what verdicts are made of. */
export interface SpanFact {
  readonly record: StoredRecord;
  readonly service: string;
  /** Empty where its service does not number its records. */
  readonly runId: string;
  /** internal | server | client | producer | consumer | unspecified */
  readonly kind: string;
  /** `<trace id>:<span id>`; empty where it has none. */
  readonly key: string;
  /** Of its parent; empty where it has none. */
  readonly parentKey: string;
  /** By the clock of its run. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** By the clock of the collector. */
  readonly receivedNs: bigint;
  /** Its number in its run; 0 where it has none. */
  readonly sequence: number;
  /** How many log records it says were made under it; null where nobody counted. */
  readonly logs: number | null;
  readonly isSummary: boolean;
  /** The transaction began here, or its parent is known to be another's. */
  readonly isRoot: boolean;
  /** Its ID was minted for this request or message: nothing of it was made before. */
  readonly isFirst: boolean;
}

const ENTERING_KINDS: ReadonlySet<string> = new Set(["server", "consumer"]);

export function describeSpan(record: StoredRecord): SpanFact {
  const { attributes, resource, span } = record;
  const startNs = timeOf(record.time);
  const durationMs = span?.durationMs ?? 0;
  const logs = attributes[ATTRIBUTE.spanLogs];
  const isStart = attributes[ATTRIBUTE.transactionStart] === true;
  return {
    record,
    service: record.service,
    runId: textOf(resource[ATTRIBUTE.runId]),
    kind: span?.kind ?? "unspecified",
    key: spanKey(record.traceId, record.spanId),
    parentKey: spanKey(record.traceId, record.parentSpanId),
    startNs,
    endNs: startNs + BigInt(Math.max(0, Math.round(durationMs * Number(MS_NS)))),
    receivedNs: timeOf(record.receivedAt),
    sequence: numberOf(attributes[ATTRIBUTE.spanSequence]),
    logs: typeof logs === "number" && logs >= 0 ? logs : null,
    isSummary: attributes[ATTRIBUTE.spanSummary] === true,
    isRoot: isStart || attributes[ATTRIBUTE.parentOutside] === true,
    isFirst: isStart && ENTERING_KINDS.has(span?.kind ?? ""),
  };
}

export function spanKey(traceId: string | null, spanId: string | null): string {
  return traceId && spanId ? `${traceId}:${spanId}` : "";
}

/** The first of the names that is there, as text; empty where none is. */
export function attributeText({ record }: SpanFact, names: readonly string[]): string {
  for (const name of names) {
    const value = record.attributes[name];
    if (typeof value === "string" || typeof value === "number") return String(value);
  }
  return "";
}

/** `POST /orders` and the like; what the span calls itself. */
export function nameOf({ record }: SpanFact): string {
  return record.message === "" ? "a span without a name" : `\`${record.message}\``;
}

/** The topic or queue of a producer or consumer span; empty where there is none, or several. */
export function topicOf(span: SpanFact): string {
  return attributeText(span, SEMANTIC_ALIASES.messagingDestination);
}

/** How many messages a producer or consumer span stands for. */
export function messagesOf(span: SpanFact): number {
  return numberOf(span.record.attributes[SEMANTIC.messagingBatchCount]) || 1;
}

const STORED_TIME_CHARS = "2026-01-31T12:00:00.123456789Z".length;
const WHOLE_MS_CHARS = "2026-01-31T12:00:00.123".length;

/** As `findRfc3339`; times as stores give them have one form, and twenty thousand may be read. */
function timeOf(text: string): bigint {
  if (text.length === STORED_TIME_CHARS) {
    const ms = Date.parse(`${text.slice(0, WHOLE_MS_CHARS)}Z`);
    const belowMs = Number(text.slice(WHOLE_MS_CHARS, -1));
    if (Number.isSafeInteger(ms) && Number.isSafeInteger(belowMs)) {
      return BigInt(ms) * MS_NS + BigInt(belowMs);
    }
  }
  return findRfc3339(text) ?? 0n;
}

function textOf(value: AttributeValue | undefined): string {
  return typeof value === "string" ? value : "";
}

export function numberOf(value: AttributeValue | undefined): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
