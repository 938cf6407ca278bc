/** A receiver with the doors for documents and lines, and a look at what reached its bus. */
import { MessageDecoder } from "../src/indexer/message-decoder.ts";
import { TransactionKeys } from "../src/indexer/transaction-keys.ts";
import { walkOtlp } from "../src/otlp/otlp-walk.ts";
import { ElasticsearchDoor } from "../src/receive/documents/elasticsearch-door.ts";
import { NdjsonDoor } from "../src/receive/documents/ndjson-door.ts";
import { HttpReceiver, RECEIVE_TIMEOUTS } from "../src/receive/http-receiver.ts";
import { OtlpDoor } from "../src/receive/otlp-door.ts";
import type { IncomingRecord } from "../src/record.ts";
import { decodeRequest } from "./otlp-decoder.ts";
import {
  type Answer,
  createReceiver,
  type MemoryBus,
  NOW_NS,
  type ReceiverConfig,
  type RunningReceiver,
  type Sent,
  send,
  type Timeouts,
} from "./receiver-harness.ts";

export const NDJSON = { "content-type": "application/x-ndjson" };
export const TRANSACTION_KEYS = ["clew.transaction.id", "transaction_id", "labels.transaction_id"];

export async function startDocuments(
  changes: Partial<ReceiverConfig> = {},
  timeouts: Partial<Timeouts> = {},
): Promise<RunningReceiver> {
  const created = createReceiver({ transactionKeys: TRANSACTION_KEYS, ...changes }, timeouts);
  const { config, intake } = created;
  const bodyTimeoutMs = timeouts.bodyMs ?? RECEIVE_TIMEOUTS.bodyMs;
  const options = { config, intake, bodyTimeoutMs, nowNs: () => NOW_NS };
  const { publishMs: _, ...receiveTimeouts } = timeouts;
  const doors = [
    new ElasticsearchDoor(options),
    new NdjsonDoor(options),
    new OtlpDoor(options),
  ] as const;
  const receiver = new HttpReceiver({ config, doors, timeouts: receiveTimeouts });
  return { ...created, receiver, ...(await receiver.start()) };
}

export type Lines = string | Uint8Array;

/** Sends to `/_bulk`; the lines as they are. */
export function sendBulk(port: number, lines: Lines, more: Partial<Sent> = {}): Promise<Answer> {
  const headers = { ...NDJSON, ...more.headers };
  return send({ port, path: "/_bulk", body: Buffer.from(lines), ...more, headers });
}

export function sendLines(port: number, lines: Lines, more: Partial<Sent> = {}): Promise<Answer> {
  const headers = { ...NDJSON, ...more.headers };
  return send({ port, path: "/ingest/ndjson", body: Buffer.from(lines), ...more, headers });
}

/** A record as the indexer reads it, and its attributes and resource as plain values. */
export interface KeptRecord extends IncomingRecord {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resourceAttributes: Readonly<Record<string, unknown>>;
}

export function keptRecords({ messages }: MemoryBus): readonly KeptRecord[] {
  const decoder = new MessageDecoder(new TransactionKeys(TRANSACTION_KEYS));
  return messages.flatMap((message, offset) => {
    const { value } = message;
    if (walkOtlp("logs", value) !== message.headers.records) throw new Error("a wrong count");
    const delivered = { ...message, partition: "memory/0", offset };
    const records = [...decoder.decode(delivered, Number.MAX_SAFE_INTEGER)].flat();
    const attributes = attributesOf(value);
    return records.map((record, index) => ({ ...record, ...attributes[index] }) as KeptRecord);
  });
}

interface DecodedRequest {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes?: readonly Pair[] };
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly attributes?: readonly Pair[] }[];
    }[];
  }[];
}

function attributesOf(value: Uint8Array): readonly object[] {
  const text = JSON.stringify(decodeRequest("logs", value), (_key, item) =>
    typeof item === "bigint" ? String(item) : item,
  );
  const { resourceLogs } = JSON.parse(text) as DecodedRequest;
  return resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ attributes = [] }) => ({
        attributes: plain(attributes),
        resourceAttributes: plain(resource.attributes ?? []),
      })),
    ),
  );
}

interface Pair {
  readonly key: string;
  readonly value: AnyValue;
}

interface AnyValue {
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly Pair[] };
}

function plain(pairs: readonly Pair[]): object {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]));
}

/** 64-bit integers as text. */
function plainValue(value: AnyValue): unknown {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plainValue);
  if (value.kvlistValue) return plain(value.kvlistValue.values ?? []);
  return Object.values(value)[0] ?? null;
}
