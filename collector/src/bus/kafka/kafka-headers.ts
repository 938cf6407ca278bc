/**
 * The headers of one message in Kafka; every value is text in UTF-8:
 *
 *   clew.request.id   minted at receipt
 *   clew.part         decimal, from 0
 *   clew.records      decimal
 *   clew.received     decimal, Unix time in ns
 *   clew.repeat       "1" or "0"
 *   clew.record.id    only of a message whose one record has its id from before: a dead letter
 *   clew.replayed     only of a dead letter that was sent again: decimal, Unix time in ns
 */
import { KAFKA_HEADER } from "../../wire-names.ts";
import type { MessageHeaders } from "../bus.ts";

/** A message as kafkajs delivers it, as far as its headers need it. */
export interface ReceivedMessage {
  /** The name at the broker. */
  readonly topic: string;
  readonly partition: number;
  /** Decimal, as kafkajs has it. */
  readonly offset: string;
  /** Unix time in ms, decimal; of a topic that stamps nothing `-1`. */
  readonly timestamp: string;
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined;
}

type HeaderValue = Buffer | string | (Buffer | string)[] | undefined;

const DECIMAL = /^\d{1,19}$/;
/** Longer ones are nobody's we know: each record's id begins with it, and a store bounds those. */
const ID_CHARACTERS_MAX = 256;
const NS_PER_MS = 1_000_000n;

export function encodeHeaders(headers: MessageHeaders): Record<string, string> {
  return {
    [KAFKA_HEADER.requestId]: headers.requestId,
    [KAFKA_HEADER.part]: String(headers.part),
    [KAFKA_HEADER.records]: String(headers.records),
    [KAFKA_HEADER.received]: String(headers.receivedNs),
    [KAFKA_HEADER.repeat]: headers.repeat ? "1" : "0",
    ...(headers.recordId === undefined ? {} : { [KAFKA_HEADER.recordId]: headers.recordId }),
    ...(headers.replayedNs === undefined
      ? {}
      : { [KAFKA_HEADER.replayed]: String(headers.replayedNs) }),
  };
}

/**
 * What the message says of itself. One that is not ours, as the OpenTelemetry Collector's Kafka
 * exporter writes them, or whose headers somebody changed, gets its ids from where it lies: the
 * same at each delivery, and another for every message. Its number of records is then not known
 * and given as 0, so that sums stay what was counted; whoever needs the number walks the value.
 */
export function decodeHeaders(message: ReceivedMessage): MessageHeaders {
  return decodeOwn(message.headers) ?? derive(message);
}

function decodeOwn(headers: ReceivedMessage["headers"]): MessageHeaders | undefined {
  if (headers === undefined) return undefined;
  const requestId = textOf(headers[KAFKA_HEADER.requestId]);
  const part = findInteger(headers[KAFKA_HEADER.part]);
  const records = findInteger(headers[KAFKA_HEADER.records]);
  const received = textOf(headers[KAFKA_HEADER.received]);
  const repeat = textOf(headers[KAFKA_HEADER.repeat]) === "1";
  if (requestId === undefined || part === undefined || records === undefined) return undefined;
  if (requestId.length > ID_CHARACTERS_MAX) return undefined;
  if (received === undefined || !DECIMAL.test(received)) return undefined;
  const replay = decodeReplay(headers);
  return { requestId, part, records, receivedNs: BigInt(received), repeat, ...replay };
}

function decodeReplay(
  headers: NonNullable<ReceivedMessage["headers"]>,
): Pick<MessageHeaders, "recordId" | "replayedNs"> {
  const recordId = textOf(headers[KAFKA_HEADER.recordId]) ?? "";
  const replayed = textOf(headers[KAFKA_HEADER.replayed]) ?? "";
  return {
    ...(recordId === "" || recordId.length > ID_CHARACTERS_MAX ? {} : { recordId }),
    ...(DECIMAL.test(replayed) ? { replayedNs: BigInt(replayed) } : {}),
  };
}

function derive({ topic, partition, offset, timestamp }: ReceivedMessage): MessageHeaders {
  return {
    // With its time, for a topic that is deleted and made anew counts from 0 again.
    requestId: `kafka-${topic}-${partition}-${offset}-${timestamp}`,
    part: 0,
    records: 0,
    receivedNs: DECIMAL.test(timestamp) ? BigInt(timestamp) * NS_PER_MS : 0n,
    repeat: false,
  };
}

/** Of several values under one name the last counts, as everywhere in Kafka. */
function textOf(value: HeaderValue): string | undefined {
  const last = Array.isArray(value) ? value.at(-1) : value;
  return last === undefined ? undefined : String(last);
}

function findInteger(value: HeaderValue): number | undefined {
  const text = textOf(value);
  if (text === undefined || !DECIMAL.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}
