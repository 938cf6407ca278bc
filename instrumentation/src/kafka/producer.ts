import { countFault } from "../stats.ts";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { findTracer } from "../tracing/tracer-holder.ts";
import {
  findContext,
  mintTransaction,
  runIn,
  type Transaction,
  TransactionContext,
} from "../transaction/transaction-context.ts";
import { isTransactionId } from "../transaction/transaction-id.ts";
import { ATTRIBUTE, HEADER, SEMANTIC } from "../wire-names.ts";
import { findDelivery } from "./delivery.ts";
import {
  findMethod,
  isObject,
  type Method,
  readHeaders,
  type TopicMessages,
} from "./kafka-shapes.ts";
import { type MergedSources, SOURCES_KEY } from "./merged-sources.ts";
import { copyMessages, type Sending } from "./outgoing-messages.ts";
import { settle } from "./settle.ts";

const KIND_PRODUCER = 3;

/** Replaces `send` and `sendBatch` of a producer, and of the transactions it opens. */
export function wrapProducer(producer: object): void {
  replace(producer, "send", (input) => (isTopicMessages(input) ? [input] : []));
  replace(producer, "sendBatch", (input) => {
    const topics = isObject(input) ? input.topicMessages : undefined;
    return Array.isArray(topics) && topics.every(isTopicMessages) ? topics : [];
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
    const outer = findContext();
    const sources = outer?.getValue(SOURCES_KEY) as MergedSources | undefined;
    const transaction = outer?.transaction ?? beginTransaction(topics);
    const span = findTracer()?.start({
      name: topics.length === 1 ? `send ${topics[0]?.topic}` : "send",
      kind: KIND_PRODUCER,
      parent: outer?.span?.spanContext(),
      transaction,
    });
    if (span !== undefined) describe(span, topics, sources);
    const context = new TransactionContext({
      transaction,
      span: span ?? outer?.span,
      baggage: outer?.baggage,
    });
    const sending: Sending = { context, delivery: findDelivery(), sources };
    const copies = topics.map((topic) => copyMessages(topic, sending));
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

/**
 * The transaction of what is sent outside of any. Messages that carry one ID are in that one, as
 * repeats of a batch's are. One message alone begins one. Several need not belong together: who
 * receives each mints its ID.
 */
function beginTransaction(topics: readonly TopicMessages[]): Transaction | undefined {
  const messages = topics.flatMap((topic) => topic.messages);
  const id = readHeaders(messages[0]?.headers)[HEADER.transactionId];
  const isShared =
    isTransactionId(id) &&
    messages.every((message) => readHeaders(message?.headers)[HEADER.transactionId] === id);
  if (isShared) return { id, isStart: false, callerId: undefined };
  return messages.length === 1 ? mintTransaction() : undefined;
}

function describe(
  span: RecordedSpan,
  topics: readonly TopicMessages[],
  sources: MergedSources | undefined,
): void {
  const names = new Set(topics.map((topic) => topic.topic));
  if (names.size === 1) span.addAttribute(SEMANTIC.messagingDestination, [...names].join());
  span.addAttribute(SEMANTIC.messagingSystem, "kafka");
  span.addAttribute(SEMANTIC.messagingOperation, "send");
  span.addAttribute(SEMANTIC.messagingOperationType, "send");
  const messages = topics.reduce((sum, topic) => sum + topic.messages.length, 0);
  if (messages > 1) span.addAttribute(SEMANTIC.messagingBatchCount, messages);
  if (sources === undefined) return;
  span.setAttribute(ATTRIBUTE.transactionSources, [...sources.ids]);
  if (sources.total > sources.ids.length) {
    span.addAttribute(ATTRIBUTE.transactionSourcesTotal, sources.total);
  }
  for (const link of sources.senders) span.addLink(link);
}

function isTopicMessages(value: unknown): value is TopicMessages {
  return isObject(value) && typeof value.topic === "string" && Array.isArray(value.messages);
}
