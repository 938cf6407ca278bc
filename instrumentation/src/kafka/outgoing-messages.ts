import { writeOutboundHeaders } from "../http/outbound-headers.ts";
import { findSpanRunId } from "../tracing/tracer-holder.ts";
import type { TransactionContext } from "../transaction/transaction-context.ts";
import { HEADER } from "../wire-names.ts";
import { type Delivery, nextAttempt } from "./delivery.ts";
import {
  deleteHeader,
  type KafkaHeaders,
  type OutgoingMessage,
  readHeaders,
  type TopicMessages,
} from "./kafka-shapes.ts";
import { formatSources, type MergedSources } from "./merged-sources.ts";

/** What the messages of one `send` are given. */
export interface Sending {
  /** With the producer's span. */
  readonly context: TransactionContext;
  /** The message in whose handler they are sent. */
  readonly delivery: Delivery | undefined;
  /** What they are made from, inside of `withMessages`. */
  readonly sources: MergedSources | undefined;
}

/**
 * Copies of the messages, with our headers in copies of theirs: what the service handed over stays
 * as it is, so that it may send the same objects again.
 */
export function copyMessages(topic: TopicMessages, sending: Sending): TopicMessages {
  // Most messages have no headers of ours, and then all of a topic get the same ones.
  const usual: KafkaHeaders = {};
  writeIds(usual, sending);
  const messages = topic.messages.map((message) => {
    if (typeof message !== "object" || message === null) return message;
    const headers =
      message.headers === undefined
        ? { ...usual }
        : addHeaders({ ...message.headers }, { usual, sending });
    if (sending.delivery !== undefined) {
      writeAttempt(headers, { delivery: sending.delivery, topic: topic.topic, message });
    }
    return { ...message, headers };
  });
  return { ...topic, messages };
}

/** What the service itself set stays; but what it copied from the handled message is renewed. */
function addHeaders(
  headers: KafkaHeaders,
  of: { usual: KafkaHeaders; sending: Sending },
): KafkaHeaders {
  const { usual, sending } = of;
  const own = readHeaders(headers);
  const { delivery } = sending;
  let isFree = true;
  for (const name of Object.keys(own)) {
    if (isRenewed(name) && own[name] === delivery?.headers[name]) deleteHeader(headers, name);
    else isFree = false;
  }
  if (isFree) return Object.assign(headers, usual);
  writeIds(headers, sending);
  return headers;
}

const RENEWED: ReadonlySet<string> = new Set([
  HEADER.traceparent,
  HEADER.tracestate,
  HEADER.run,
  HEADER.deliveryAttempt,
]);

/** The sender of a forwarded message is who forwards it, and each delivery is counted anew. */
function isRenewed(name: string): boolean {
  return RENEWED.has(name);
}

function writeIds(headers: KafkaHeaders, sending: Sending): void {
  const own = readHeaders(headers);
  const { context, sources } = sending;
  writeOutboundHeaders({
    context,
    transaction: context.transaction,
    span: context.span?.spanContext(),
    runId: findSpanRunId(),
    find: (name) => own[name],
    set: (name, value) => {
      headers[name] = value;
    },
  });
  if (sources !== undefined && own[HEADER.transactionSources] === undefined) {
    headers[HEADER.transactionSources] = formatSources(sources.ids);
  }
}

/** A repeat of the handled message says so, and keeps naming what that one was made from. */
function writeAttempt(
  headers: KafkaHeaders,
  of: { delivery: Delivery; topic: string; message: OutgoingMessage },
): void {
  const { delivery, topic, message } = of;
  const attempt = nextAttempt(delivery, { topic, value: message.value });
  if (attempt === undefined) return;
  const own = readHeaders(headers);
  // What is there now was set by the service, by `retryOf` or by itself.
  if (own[HEADER.deliveryAttempt] === undefined) headers[HEADER.deliveryAttempt] = String(attempt);
  const sources = delivery.headers[HEADER.transactionSources];
  if (sources !== undefined && own[HEADER.transactionSources] === undefined) {
    headers[HEADER.transactionSources] = sources;
  }
}
