import { findContext, type Transaction } from "../transaction/transaction-context.ts";
import { HEADER } from "../wire-names.ts";
import {
  deleteHeader,
  type IncomingMessage,
  type KafkaHeaders,
  type KnownHeaders,
  type OutgoingMessage,
  readHeaders,
} from "./kafka-shapes.ts";

/** One message while its handler runs. */
export interface Delivery {
  readonly message: IncomingMessage;
  readonly topic: string;
  /** Its headers as far as they are ours. */
  readonly headers: KnownHeaders;
  readonly transaction: Transaction;
}

/** Where the context keeps the delivery; two copies of this package must find each other's. */
export const DELIVERY_KEY = Symbol.for("clew.kafka.delivery");

const ATTEMPT = /^[1-9][0-9]{0,5}$/;
const ATTEMPT_MAX = 999_999;
/**
 * A part of the name says what the topic is for: `orders.retry`, `orders-retry-5m`, `retry_2`,
 * Spring's `orders-retry-0` and `orders-dlt`, `orders.DLQ`, `orders-dead-letters`.
 */
const RETRY_TOPIC = /(?:^|[._-])(?:retry|retries|dlq|dlt|dead[._-]?letters?)(?=[._\d-]|$)/i;

/** The message whose handler the running code belongs to. */
export function findDelivery(): Delivery | undefined {
  return findContext()?.getValue(DELIVERY_KEY) as Delivery | undefined;
}

/** How often a message was delivered, this time included; undefined where it does not say. */
export function findAttempt(headers: KnownHeaders): number | undefined {
  const text = headers[HEADER.deliveryAttempt];
  return text !== undefined && ATTEMPT.test(text) ? Number(text) : undefined;
}

/**
 * The attempt that a message sent inside of a handler carries, or undefined where it is no repeat
 * of the handled one:
 * - to a topic that is named for retries or dead letters: one more;
 * - the same value back to the topic it came from: one more;
 * - the same value to another topic: as many as it came with (from a delay topic back to work).
 */
export function nextAttempt(
  delivery: Delivery,
  to: { readonly topic: string; readonly value: OutgoingMessage["value"] },
): number | undefined {
  const known = findAttempt(delivery.headers);
  const more = Math.min((known ?? 1) + 1, ATTEMPT_MAX);
  if (RETRY_TOPIC.test(to.topic)) return more;
  if (to.topic !== delivery.topic && known === undefined) return undefined;
  if (!isSameValue(delivery.message.value, to.value)) return undefined;
  return to.topic === delivery.topic ? more : known;
}

/**
 * A message that repeats a consumed one: it gets the consumed one's transaction and the next
 * attempt, wherever it is sent from and whatever the topic is called. For `eachBatch` without
 * `withMessage`, and for repeats that waited in a database.
 *
 * @param consumed the message as kafkajs handed it over
 * @param outgoing the message to be sent; its own headers stay
 * @returns a copy of `outgoing`
 */
export function retryOf<M extends object>(
  consumed: IncomingMessage,
  outgoing: M & OutgoingMessage,
): M & { headers: KafkaHeaders } {
  const known = readHeaders(consumed.headers);
  const attempt = Math.min((findAttempt(known) ?? 1) + 1, ATTEMPT_MAX);
  const own = readHeaders(outgoing.headers);
  const headers: KafkaHeaders = { ...outgoing.headers };
  for (const [name, value] of Object.entries(known)) {
    if (own[name] === undefined) headers[name] = value;
  }
  deleteHeader(headers, HEADER.deliveryAttempt);
  headers[HEADER.deliveryAttempt] = String(attempt);
  return { ...outgoing, headers };
}

function isSameValue(consumed: Uint8Array | null | undefined, sent: OutgoingMessage["value"]) {
  if (sent === consumed) return sent !== undefined && sent !== null;
  if (!(consumed instanceof Uint8Array) || sent === undefined || sent === null) return false;
  if (typeof sent === "string" && sent.length > consumed.length) return false;
  return Buffer.from(sent).equals(consumed);
}
