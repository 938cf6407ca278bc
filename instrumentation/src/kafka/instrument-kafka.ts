import { type ModulePatch, patchModules } from "../loading/module-hooks.ts";
import { countFault, type Hook } from "../stats.ts";
import { wrapConsumer } from "./consumer.ts";
import { findMethod, isObject } from "./kafka-shapes.ts";
import { wrapProducer } from "./producer.ts";

/**
 * What was wrapped already: clients, classes, producers, consumers. Two copies of this package in
 * one process (one registered, one in a bundle) must know of each other, or spans would double.
 */
const WRAPPED_KEY = Symbol.for("clew.kafka.wrapped");
const shared = globalThis as { [WRAPPED_KEY]?: WeakSet<object> };
shared[WRAPPED_KEY] ??= new WeakSet();
const wrapped = shared[WRAPPED_KEY];

/** kafkajs's public file, and what in it makes producers and consumers. */
const KAFKAJS: ModulePatch = {
  package: "kafkajs",
  file: "index.js",
  patch: (exports) => {
    const Kafka: unknown = isObject(exports) ? exports.Kafka : undefined;
    if (typeof Kafka === "function" && isObject(Kafka.prototype)) instrumentKafka(Kafka.prototype);
    return exports;
  },
};

/** Instruments every client of kafkajs, whenever kafkajs is loaded. */
export function patchKafka(): void {
  patchModules([KAFKAJS]);
}

/**
 * Makes the producers and consumers of a kafkajs client carry transactions: each message sent gets
 * the IDs in a copy of its headers, each message received runs in the context of its own. Needed
 * only in a bundle; elsewhere kafkajs is instrumented as it is loaded.
 *
 * @param kafka `new Kafka({…})`
 * @returns the same object; instrumenting it twice, in whatever way, changes nothing
 */
export function instrumentKafka<K extends object>(kafka: K): K {
  if (!isNew(kafka)) return kafka;
  wrapFactory(kafka, { method: "producer", hook: "kafka-producer", wrap: wrapProducer });
  wrapFactory(kafka, { method: "consumer", hook: "kafka-consumer", wrap: wrapConsumer });
  return kafka;
}

function wrapFactory(
  kafka: object,
  of: { method: string; hook: Hook; wrap: (made: object, options: unknown) => void },
): void {
  const create = findMethod(kafka, of.method);
  if (create === undefined) return;
  Reflect.set(kafka, of.method, function (this: unknown, ...args: unknown[]) {
    const made = Reflect.apply(create, this, args);
    try {
      if (isObject(made) && isNew(made)) of.wrap(made, args[0]);
    } catch (error) {
      countFault(of.hook, error);
    }
    return made;
  });
}

function isNew(object: object): boolean {
  if (wrapped.has(object)) return false;
  wrapped.add(object);
  return true;
}
