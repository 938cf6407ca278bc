import type { SpanContext } from "@opentelemetry/api";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { tracePropagation } from "../tracing/trace-propagation.ts";
import { HEADER, SEMANTIC } from "../wire-names.ts";
import { type IncomingMessage, type KnownHeaders, readHeaders } from "./kafka-shapes.ts";

/** The API's SpanKind. */
export const KIND_CONSUMER = 4;

/** A batch may hold thousands of messages; so many of their traces are linked to its span. */
const LINKS_MAX = 128;

/** Where messages came from. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly group: string | undefined;
}

/** What is said of every consumer span. */
export function describeConsumer(
  span: RecordedSpan,
  origin: Origin,
  operation: "process" | "receive",
): void {
  if (origin.topic !== "") span.addAttribute(SEMANTIC.messagingDestination, origin.topic);
  span.addAttribute(SEMANTIC.messagingSystem, "kafka");
  span.addAttribute(SEMANTIC.messagingOperation, operation);
  span.addAttribute(SEMANTIC.messagingOperationType, operation);
  if (origin.partition >= 0) {
    span.addAttribute(SEMANTIC.messagingPartition, String(origin.partition));
  }
  if (origin.group !== undefined) {
    span.addAttribute(SEMANTIC.messagingConsumerGroup, origin.group);
  }
}

/** The span that sent a message. */
export function findSender(headers: KnownHeaders): SpanContext | undefined {
  return tracePropagation().find(headers);
}

/** The spans that sent these messages, each once: messages sent together share one. */
export function findSenders(messages: readonly IncomingMessage[]): SpanContext[] {
  const senders = new Map<string, SpanContext>();
  for (const message of messages) {
    if (senders.size >= LINKS_MAX) break;
    const headers = readHeaders(message.headers);
    const traceparent = headers[HEADER.traceparent];
    if (traceparent === undefined || senders.has(traceparent)) continue;
    const sender = findSender(headers);
    if (sender !== undefined) senders.set(traceparent, sender);
  }
  return [...senders.values()];
}
