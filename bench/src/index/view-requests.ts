/**
 * Transactions of a chosen size, as export requests: nine of ten records are logs, the tenth is a
 * span, each log within one of its spans; a transaction of fewer than ten has no span.
 *
 *   Span (OTLP 1.11, trace.proto) { 1 bytes trace id, 2 bytes span id, 4 bytes parent's span id,
 *     5 string name, 6 varint kind, 7 fixed64 start, 8 fixed64 end, 9 KeyValue attribute* }
 */
import { ATTRIBUTE, SEMANTIC } from "@clew/instrumentation/names";
import {
  encodeAttributes,
  encodeExport,
  encodeLogEntries,
  type LogEntry,
  makeLogEntries,
  RECORDS_PER_REQUEST,
} from "../log-requests.ts";
import { fields } from "../protobuf-fields.ts";
import { seededRandom } from "../seeded-random.ts";
import type { ViewShape } from "./index-plan.ts";

export interface ViewRequest {
  readonly signal: "logs" | "traces";
  readonly records: number;
  readonly body: Buffer;
}

const RECORDS_PER_SPAN = 10;
const SERVER = 2;
const CLIENT = 3;
/** How many calls a server of the made-up tree makes. */
const CALLS = 4;
const SPAN_NS = 40_000_000n;
const BETWEEN_NS = 1_000_000n;
const SEED = 11;

export function viewTransactionId(runId: string, shape: ViewShape, number: number): string {
  return `${runId}-view-${shape.records}-${number}`;
}

/** Requests of at most a thousand records each, of one signal. */
export function viewRequests(of: {
  readonly runId: string;
  readonly shapes: readonly ViewShape[];
  readonly startNs: bigint;
}): readonly ViewRequest[] {
  const logs: LogEntry[] = [];
  const spans: Buffer[] = [];
  let seed = SEED;
  for (const shape of of.shapes) {
    for (let number = 0; number < shape.transactions; number++) {
      const id = viewTransactionId(of.runId, shape, number);
      const { records } = shape;
      const made = makeTransaction({ id, seed: seed++, records, startNs: of.startNs });
      logs.push(...made.logs);
      spans.push(...made.spans);
    }
  }
  return [
    ...chunks(logs).map((part) => viewRequest("logs", part.length, encodeLogEntries(part))),
    ...chunks(spans).map((part) => viewRequest("traces", part.length, encodeExport(part))),
  ];
}

function viewRequest(signal: "logs" | "traces", records: number, body: Buffer): ViewRequest {
  return { signal, records, body };
}

interface TransactionOrder {
  readonly id: string;
  /** Another one for each, because its trace and spans are named by it. */
  readonly seed: number;
  readonly records: number;
  readonly startNs: bigint;
}

function makeTransaction({ id, seed, records, startNs }: TransactionOrder): {
  readonly logs: readonly LogEntry[];
  readonly spans: readonly Buffer[];
} {
  const random = seededRandom(seed);
  const traceId = random.bytes(16);
  const spanIds = Array.from({ length: Math.floor(records / RECORDS_PER_SPAN) }, (_, place) => {
    const spanId = random.bytes(8);
    spanId.writeUInt32BE(place);
    return spanId;
  });
  const entries = makeLogEntries({
    ...{ runId: id, seed, startNs },
    records: records - spanIds.length,
  });
  const logs = entries.map((entry, place) => ({
    ...entry,
    timeNs: startNs + BigInt(place) * BETWEEN_NS,
    attributes: {
      ...entry.attributes,
      [ATTRIBUTE.recordUid]: `${id}-${place}`,
      [ATTRIBUTE.transactionId]: id,
    },
    traceId,
    spanId: spanIds[place % spanIds.length] ?? entry.spanId,
  }));
  const perSpan = spanIds.length === 0 ? 0 : logs.length / spanIds.length;
  const spans = spanIds.map((_, place) =>
    encodeSpan({ id, startNs, traceId, spanIds, place, perSpan }),
  );
  return { logs, spans };
}

/** A server is called by the client before it; a client belongs to a server further up. */
function encodeSpan(span: {
  readonly id: string;
  readonly startNs: bigint;
  readonly traceId: Buffer;
  readonly spanIds: readonly Buffer[];
  readonly place: number;
  readonly perSpan: number;
}): Buffer {
  const { id, traceId, spanIds, place, perSpan } = span;
  const isServer = place % 2 === 0;
  const parent = isServer ? place - 1 : 2 * Math.floor((place - 1) / (2 * CALLS));
  const startNs = span.startNs + BigInt(place) * BETWEEN_NS;
  const parentId = spanIds[parent];
  return Buffer.concat([
    fields.bytes(1, traceId),
    fields.bytes(2, spanIds[place] ?? Buffer.alloc(8)),
    ...(parentId === undefined ? [] : [fields.bytes(4, parentId)]),
    fields.text(5, isServer ? "POST /orders" : "POST"),
    fields.varint(6, isServer ? SERVER : CLIENT),
    fields.fixed64(7, startNs),
    fields.fixed64(8, startNs + SPAN_NS),
    encodeAttributes(9, {
      [ATTRIBUTE.transactionId]: id,
      [ATTRIBUTE.spanLogs]: perSpan,
      [SEMANTIC.httpMethod]: "POST",
      [SEMANTIC.httpStatusCode]: 200,
    }),
  ]);
}

function chunks<T>(all: readonly T[]): readonly T[][] {
  const parts = Math.ceil(all.length / RECORDS_PER_REQUEST);
  return Array.from({ length: parts }, (_, part) =>
    all.slice(part * RECORDS_PER_REQUEST, (part + 1) * RECORDS_PER_REQUEST),
  );
}
