import { types } from "node:util";
import { findTracer } from "../tracing/tracer-holder.ts";
import { EMPTY_CONTEXT, runIn, TransactionContext } from "../transaction/transaction-context.ts";
import { SEMANTIC } from "../wire-names.ts";
import { describeConsumer, findSenders, KIND_CONSUMER, type Origin } from "./consumer-span.ts";
import {
  type EachBatchPayload,
  type EachMessagePayload,
  findMethod,
  isObject,
  type Method,
} from "./kafka-shapes.ts";
import { type Begun, beginMessage, beginSafely, noteOrigin, runBegun } from "./with-message.ts";

/**
 * Replaces `run` of a consumer, so that its handlers run in their messages' contexts. The handlers
 * get what kafkajs gives them, and kafkajs gets what they return or throw.
 */
export function wrapConsumer(consumer: object, options: unknown): void {
  const run = findMethod(consumer, "run");
  if (run === undefined) return;
  const groupId = isObject(options) ? options.groupId : undefined;
  const group = typeof groupId === "string" ? groupId : undefined;
  Reflect.set(consumer, "run", (...args: unknown[]) => {
    const [config, ...rest] = args;
    const wrapped = isObject(config) ? wrapHandlers(config, group) : config;
    // The consumer lives on when whoever started it is done: it belongs to no transaction.
    return runIn(EMPTY_CONTEXT, () => run.apply(consumer, [wrapped, ...rest]));
  });
}

function wrapHandlers(config: Record<string, unknown>, group: string | undefined): object {
  const { eachMessage, eachBatch } = config;
  const copy = { ...config };
  if (typeof eachMessage === "function") {
    copy.eachMessage = wrapHandler(eachMessage as Method, (payload) => {
      const { topic, partition, message } = payload as EachMessagePayload;
      return beginMessage(message, { topic, partition, group });
    });
  }
  if (typeof eachBatch === "function") {
    copy.eachBatch = wrapHandler(eachBatch as Method, (payload) => {
      const { topic, partition, messages } = (payload as EachBatchPayload).batch;
      return beginBatch(messages, { topic, partition, group });
    });
  }
  return copy;
}

/** kafkajs awaits its handlers, so a thenable becomes a promise here and is asked once only. */
function wrapHandler(handler: Method, begin: (payload: unknown) => Begun): Method {
  return function (this: unknown, ...args: unknown[]) {
    const begun = beginSafely(() => begin(args[0]));
    return runBegun(begun, () => awaitable(Reflect.apply(handler, this, args)));
  };
}

function awaitable(result: unknown): unknown {
  const isThenable = isObject(result) && !types.isPromise(result) && "then" in result;
  return isThenable ? Promise.resolve(result) : result;
}

/** The batch's own span belongs to no transaction; it links to those its messages came from. */
function beginBatch(messages: EachBatchPayload["batch"]["messages"], origin: Origin): Begun {
  const span = findTracer()?.start({
    name: `receive ${origin.topic}`,
    kind: KIND_CONSUMER,
    parent: undefined,
    transaction: undefined,
  });
  noteOrigin(messages, origin);
  if (span !== undefined) {
    describeConsumer(span, origin, "receive");
    span.addAttribute(SEMANTIC.messagingBatchCount, messages.length);
    for (const link of findSenders(messages)) span.addLink(link);
  }
  return { span, context: new TransactionContext({ span }) };
}
