import { writeOutboundHeaders } from "../http/outbound-headers.ts";
import { countFault, counts } from "../stats.ts";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { findTracer } from "../tracing/tracer-holder.ts";
import {
  findContext,
  mintTransaction,
  runIn,
  TransactionContext,
} from "../transaction/transaction-context.ts";
import { HEADER, SEMANTIC } from "../wire-names.ts";
import {
  findMethod,
  isObject,
  type KafkaHeaders,
  type Method,
  type OutgoingMessage,
  readHeaders,
  type TopicMessages,
} from "./kafka-shapes.ts";
import { settle } from "./settle.ts";

const KIND_PRODUCER = 3;

/** Replaces `send` and `sendBatch` of a producer, and of the transactions it opens. */
export function wrapProducer(producer: object): void {
  replace(producer, "send", (input) => (isTopicMessages(input) ? [input] : []));
  replace(producer, "sendBatch", (input) => {
    const topics = isObject(input) ? input.topicMessages : undefined;
    return Array.isArray(topics) ? topics.filter(isTopicMessages) : [];
  });
  const begin = findMethod(producer, "transaction");
  if (begin === undefined) return;
  Reflect.set(producer, "transaction", async (...args: unknown[]) => {
    const made = await begin.apply(producer, args);
    if (isObject(made)) wrapProducer(made);
    return made;
  });
}

function replace(
  producer: object,
  name: "send" | "sendBatch",
  topicsOf: (input: unknown) => TopicMessages[],
): void {
  const send = findMethod(producer, name);
  if (send === undefined) return;
  Reflect.set(producer, name, (...args: unknown[]) => {
    const prepared = prepare(name, args[0], topicsOf);
    if (prepared === undefined) return send.apply(producer, args);
    return deliver({ send, producer, prepared, rest: args.slice(1) });
  });
}

interface Prepared {
  readonly input: unknown;
  readonly span: RecordedSpan | undefined;
  readonly context: TransactionContext;
}

function deliver(of: { send: Method; producer: object; prepared: Prepared; rest: unknown[] }) {
  const { span, context, input } = of.prepared;
  return settle({
    span,
    body: () => runIn(context, () => of.send.apply(of.producer, [input, ...of.rest])),
  });
}

/** The input with IDs in copies of the messages, or undefined where it is not what it should be. */
function prepare(
  name: "send" | "sendBatch",
  input: unknown,
  topicsOf: (input: unknown) => TopicMessages[],
): Prepared | undefined {
  try {
    const topics = topicsOf(input);
    if (!isObject(input) || topics.length === 0) return undefined;
    const messages = topics.reduce((sum, topic) => sum + topic.messages.length, 0);
    const outer = findContext();
    // Several messages sent outside of a transaction need not belong together: whoever receives
    // each mints its ID.
    const transaction = outer?.transaction ?? (messages === 1 ? mintTransaction() : undefined);
    const span = findTracer()?.start({
      name: topics.length === 1 ? `send ${topics[0]?.topic}` : "send",
      kind: KIND_PRODUCER,
      parent: outer?.span?.spanContext(),
      transaction,
    });
    if (span?.isRecording() === true) describe(span, topics, messages);
    const context = new TransactionContext({
      transaction,
      span: span ?? outer?.span,
      baggage: outer?.baggage,
    });
    const copies = topics.map((topic) => withHeaders(topic, context));
    const copy =
      name === "send"
        ? { ...input, messages: copies[0]?.messages }
        : { ...input, topicMessages: copies };
    return { input: copy, span, context };
  } catch (error) {
    countFault("kafka-producer", error);
    return undefined;
  }
}

function describe(span: RecordedSpan, topics: TopicMessages[], messages: number): void {
  span.addAttribute(SEMANTIC.messagingSystem, "kafka");
  span.addAttribute(SEMANTIC.messagingOperation, "send");
  span.addAttribute(SEMANTIC.messagingOperationType, "send");
  const names = new Set(topics.map((topic) => topic.topic));
  if (names.size === 1) span.addAttribute(SEMANTIC.messagingDestination, [...names].join());
  if (messages > 1) span.addAttribute(SEMANTIC.messagingBatchCount, messages);
}

function withHeaders(topic: TopicMessages, context: TransactionContext): TopicMessages {
  return { ...topic, messages: topic.messages.map((message) => copyMessage(message, context)) };
}

function copyMessage(message: OutgoingMessage, context: TransactionContext): OutgoingMessage {
  if (typeof message !== "object" || message === null) return message;
  const headers: KafkaHeaders = { ...message.headers };
  const own = readHeaders(headers);
  writeOutboundHeaders({
    context,
    transaction: context.transaction,
    span: context.span?.spanContext(),
    runId: counts.runId,
    // A message has no way back: naming our run would ask for an answer that cannot come.
    find: (name) => (name === HEADER.run ? "" : own[name]),
    set: (name, value) => {
      headers[name] = value;
    },
  });
  return { ...message, headers };
}

function isTopicMessages(value: unknown): value is TopicMessages {
  return isObject(value) && typeof value.topic === "string" && Array.isArray(value.messages);
}
