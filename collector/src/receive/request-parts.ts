import type { MessageHeaders, OutgoingMessage } from "../bus/bus.ts";
import { DEAD_LETTER_MESSAGE_BYTES_MAX, encodeDeadLetter } from "../indexer/dead-letter-message.ts";
import type { MessageDecoder } from "../indexer/message-decoder.ts";
import type { Signal } from "../otlp/otlp-schema.ts";
import { type ExportPart, splitExport } from "../otlp/split-export.ts";
import type { DeadLetter } from "../store/dead-letter.ts";

/** A request that is larger than one message may be. */
export interface LargeRequest {
  readonly signal: Signal;
  /** Checked by `walkOtlp`. */
  readonly value: Buffer;
  /** Of the request as a whole. */
  readonly headers: Omit<MessageHeaders, "part" | "records">;
  readonly maxMessageBytes: number;
  /** Finds the id, service and transaction of a record that becomes a dead letter. */
  readonly decoder: MessageDecoder;
  /** Hears of records that no message can hold. */
  readonly onTooLarge: (records: number) => void;
}

/** Bounds what a request costs while it is published: beside its own bytes so many messages. */
export const PARTS_IN_FLIGHT_MAX = 8;

/**
 * Publishes the request in parts, under one request id; resolves when every part is durable. What
 * no part can hold is published as a dead letter, chunk by chunk. After a part was refused, or once
 * the signal aborts, no further one begins: the sender is told to send the whole request again.
 */
export async function publishParts(
  request: LargeRequest,
  {
    publish,
    signal,
  }: { publish: (message: OutgoingMessage) => Promise<void>; signal: AbortSignal },
): Promise<void> {
  const publishing = new Set<Promise<void>>();
  const refusals: unknown[] = [];
  for (const message of messagesOf(request)) {
    const published = publish(message)
      .catch((error: unknown) => void refusals.push(error))
      .finally(() => publishing.delete(published));
    publishing.add(published);
    if (publishing.size >= PARTS_IN_FLIGHT_MAX) await Promise.race(publishing);
    if (refusals.length > 0 || signal.aborted) break;
  }
  await Promise.all(publishing);
  if (refusals.length > 0) throw refusals[0];
}

function* messagesOf(request: LargeRequest): Generator<OutgoingMessage> {
  const { signal, value, headers, maxMessageBytes: maxBytes } = request;
  let part = 0;
  for (const split of splitExport({ signal, value, maxBytes })) {
    if (!split.isTooLarge) {
      const own = { ...headers, part, records: split.records };
      yield { topic: signal, headers: own, value: split.value };
      part++;
      continue;
    }
    request.onTooLarge(split.records);
    const letter = toDeadLetter(request, { ...split, part });
    const bytesMax = Math.min(DEAD_LETTER_MESSAGE_BYTES_MAX, maxBytes);
    let { records } = split;
    for (const chunk of encodeDeadLetter(letter, bytesMax)) {
      yield { topic: "dead-letters", headers: { ...headers, part, records }, value: chunk };
      part++;
      records = 0;
    }
  }
}

/** The id is the record's own where it has one: sent again it is the same dead letter. */
function toDeadLetter(request: LargeRequest, split: ExportPart & { part: number }): DeadLetter {
  const { signal, headers, maxMessageBytes } = request;
  const { value, records, part } = split;
  const what = records === 1 ? "a record" : `${records} records of one resource or scope`;
  const found = findRecord(request, split);
  return {
    id: found?.id ?? `${headers.requestId}-${part}`,
    receivedNs: headers.receivedNs,
    refusedNs: headers.receivedNs,
    transactionId: found?.transactionId ?? "",
    service: found?.service ?? "",
    runId: found?.runId ?? "",
    sequence: found?.sequence ?? 0,
    reason: "too_large",
    status: null,
    detail: `${what}, ${value.length} bytes: the bus takes ${maxMessageBytes} in one message`,
    topic: signal,
    original: value,
    piece: null,
  };
}

/** The first record, which stands for all of a group; metric points are nobody's records. */
function findRecord(request: LargeRequest, split: ExportPart & { part: number }) {
  const { signal, headers, decoder } = request;
  const { value, records, part } = split;
  if (signal === "metrics") return undefined;
  const own = { ...headers, part, records };
  const message = { topic: signal, headers: own, value, partition: "", offset: 0 };
  for (const [record] of decoder.decode(message, 1)) return record;
  return undefined;
}
