import { countFault, type Hook } from "../stats.ts";
import { wrapConsumer } from "./consumer.ts";
import { findMethod, isObject } from "./kafka-shapes.ts";
import { wrapProducer } from "./producer.ts";

const instrumented = new WeakSet<object>();

/**
 * Makes the producers and consumers of a kafkajs client carry transactions: each message sent gets
 * the IDs in a copy of its headers, each message received runs in the context of its own.
 *
 * @param kafka `new Kafka({…})`
 * @returns the same object; instrumenting it twice changes nothing
 */
export function instrumentKafka<K extends object>(kafka: K): K {
  if (instrumented.has(kafka)) return kafka;
  instrumented.add(kafka);
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
  Reflect.set(kafka, of.method, (...args: unknown[]) => {
    const made = create.apply(kafka, args);
    try {
      if (isObject(made)) of.wrap(made, args[0]);
    } catch (error) {
      countFault(of.hook, error);
    }
    return made;
  });
}
