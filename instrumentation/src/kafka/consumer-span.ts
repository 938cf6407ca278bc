import type { Link, SpanContext } from "@opentelemetry/api";
import { findRunId } from "../http/open-server-span.ts";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { tracePropagation } from "../tracing/trace-propagation.ts";
import { ATTRIBUTE, HEADER, SEMANTIC } from "../wire-names.ts";
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

/** Links to the spans that sent these messages, each once: messages sent together share one. */
export function findSenders(messages: readonly IncomingMessage[]): Link[] {
  const senders = new Map<string, Link>();
  for (const message of messages) {
    if (senders.size >= LINKS_MAX) break;
    const headers = readHeaders(message.headers);
    const traceparent = headers[HEADER.traceparent];
    if (traceparent === undefined || senders.has(traceparent)) continue;
    const context = findSender(headers);
    if (context === undefined) continue;
    const runId = findRunId(headers[HEADER.run]);
    const attributes = runId === undefined ? undefined : { [ATTRIBUTE.callerRunId]: runId };
    senders.set(traceparent, attributes === undefined ? { context } : { context, attributes });
  }
  return [...senders.values()];
}
