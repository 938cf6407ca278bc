/**
 * The beginning of a program that uses kafkajs as users do, without a word about instrumentation.
 * `work` consumes a topic until its handler says that it is done.
 */
export const KAFKA_PROGRAM = `
  import { Kafka, logLevel } from "kafkajs";
  import { retryOf, transaction, withMessage, withMessages } from "@clew/instrumentation";
  const env = process.env;
  const kafka = new Kafka({
    clientId: "test", brokers: env.BROKERS.split(","), logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 100, retries: 2 },
  });
  const openProducer = async (options) => {
    const producer = kafka.producer(options);
    await producer.connect();
    return producer;
  };
  const work = async (topics, config) => {
    const consumer = kafka.consumer({ groupId: "g-" + topics[0], maxWaitTimeInMs: 100 });
    const { promise, resolve, reject } = Promise.withResolvers();
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run(config({ done: resolve, fail: reject, consumer }));
    await promise;
    await consumer.disconnect();
  };
  const print = (value) => console.log(JSON.stringify(value));
`;
