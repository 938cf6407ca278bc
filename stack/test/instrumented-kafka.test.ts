import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REGISTER, runApp } from "../../instrumentation/test/app-process.ts";
import { OtlpSink, type ReceivedSpan } from "../../instrumentation/test/otlp-sink.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { KAFKA_PROGRAM } from "./kafka-program.ts";
import { KafkaTopics } from "./kafka-topics.ts";

const FIRST_START_MS = 400_000;
const TEST_MS = 120_000;
const PRODUCER = 4;
const CONSUMER = 5;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/;
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;

describe.skipIf(!requireJava("kafkajs, instrumented"))("kafkajs, instrumented by register", () => {
  const broker = new KafkaBroker();
  let topics: KafkaTopics;
  const sinks: OtlpSink[] = [];
  beforeAll(async () => {
    await broker.start();
    topics = new KafkaTopics(broker.brokers);
  }, FIRST_START_MS);
  afterAll(async () => {
    for (const sink of sinks) await sink.stop();
    await broker.stop();
  });

  /** Runs a program to its end; what it printed, line by line, and what it sent. */
  async function run(code: string, env: Record<string, string>, args?: readonly string[]) {
    const sink = new OtlpSink();
    sinks.push(sink);
    const end = await runApp({
      code: args === undefined ? KAFKA_PROGRAM + code : code,
      ...(args === undefined ? {} : { args }),
      endpoint: await sink.start(),
      env: {
        BROKERS: broker.brokers.join(),
        CLEW_SPOOL_DIR: "off",
        CLEW_METRICS_PORT: "off",
        ...env,
      },
    });
    expect(end).toMatchObject({ code: 0, stderr: expect.not.stringContaining("clew:") });
    const printed = end.stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    return { printed, sink };
  }

  test(
    "send, sendBatch and a Kafka transaction: IDs in a copy, the user's headers kept",
    async () => {
      const [one, two] = [await topics.create("one"), await topics.create("two")];
      const { printed, sink } = await run(
        `
      const own = { plain: "text", bytes: Buffer.from("raw"), many: ["a", Buffer.from("b")] };
      const message = Object.freeze({ key: "k", value: "1", headers: Object.freeze(own) });
      const bare = Object.freeze({ value: "2" });
      const input = Object.freeze({ topic: env.ONE, messages: Object.freeze([message, bare]) });
      const producer = await openProducer();
      await transaction.run("T-send", async () => {
        await producer.send(input);
        await producer.send(input);
      });
      await transaction.run("T-batch", () => producer.sendBatch({
        topicMessages: [{ topic: env.ONE, messages: [bare] }, { topic: env.TWO, messages: [bare] }],
      }));
      const once = { transactionalId: "t", idempotent: true, maxInFlightRequests: 1 };
      const atomic = await openProducer(once);
      await transaction.run("T-atomic", async () => {
        const open = await atomic.transaction();
        await open.send({ topic: env.TWO, messages: [message] });
        await open.sendBatch({ topicMessages: [{ topic: env.TWO, messages: [bare] }] });
        await open.commit();
        const undone = await atomic.transaction();
        await undone.send({ topic: env.TWO, messages: [{ value: "undone" }] });
        await undone.abort();
      });
      print({ headers: Object.keys(message.headers), untouched: input.messages[0] === message });
      await producer.disconnect();
      await atomic.disconnect();
      `,
        { ONE: one, TWO: two },
      );
      expect(printed).toEqual([{ headers: ["plain", "bytes", "many"], untouched: true }]);
      const idOf = (id: string) => ({
        "x-transaction-id": id,
        baggage: `clew.transaction.id=${id}`,
        traceparent: expect.stringMatching(TRACEPARENT),
        "clew-run": sink.spans[0]?.resource["clew.run.id"],
      });
      const own = { plain: "text", bytes: "raw", many: "b" };
      const ofSend = idOf("T-send");
      expect(await topics.read(one, 5)).toEqual([
        { value: "1", headers: { ...own, ...ofSend } },
        { value: "2", headers: ofSend },
        { value: "1", headers: { ...own, ...ofSend } },
        { value: "2", headers: ofSend },
        { value: "2", headers: idOf("T-batch") },
      ]);
      expect(await topics.read(two, 3)).toEqual([
        { value: "2", headers: idOf("T-batch") },
        { value: "1", headers: { ...own, ...idOf("T-atomic") } },
        { value: "2", headers: idOf("T-atomic") },
      ]);
      const told = sink.spans.map(({ name, kind, attributes }) => [
        name,
        kind,
        attributes["clew.transaction.id"],
        attributes["messaging.batch.message_count"],
      ]);
      expect(told).toEqual([
        [`send ${one}`, PRODUCER, "T-send", 2],
        [`send ${one}`, PRODUCER, "T-send", 2],
        ["send", PRODUCER, "T-batch", 2],
        [`send ${two}`, PRODUCER, "T-atomic", undefined],
        [`send ${two}`, PRODUCER, "T-atomic", undefined],
        [`send ${two}`, PRODUCER, "T-atomic", undefined],
      ]);
    },
    TEST_MS,
  );

  const SEND_REQUIRED = `
    const send = async (kafka) => {
      const producer = kafka.producer();
      await producer.connect();
      await producer.send({ topic: process.env.TOPIC, messages: [{ value: "1" }] });
      await producer.disconnect();
    };
    const options = { brokers: process.env.BROKERS.split(","), logLevel: 0 };
  `;

  test.each([
    ["after us", REGISTER, 'send(new (require("kafkajs").Kafka)(options));'],
    [
      "before us, even the client",
      [],
      `const { Kafka } = require("kafkajs");
       const kafka = new Kafka(options);
       require("@clew/instrumentation/register");
       send(kafka);`,
    ],
  ])("kafkajs by require, loaded %s", { timeout: TEST_MS }, async (_name, args, code) => {
    const topic = await topics.create("required");
    await run(SEND_REQUIRED + code, { TOPIC: topic }, [...args, "--input-type=commonjs"]);
    const [message] = await topics.read(topic, 1);
    expect(message?.headers["x-transaction-id"]).toMatch(UUID_V7);
  });

  test(
    "automatic and explicit wrapping together double nothing",
    async () => {
      const topic = await topics.create("twice");
      const { sink } = await run(
        `
      import { instrumentKafka } from "@clew/instrumentation";
      instrumentKafka(instrumentKafka(kafka));
      const producer = await openProducer();
      const messages = [{ value: "1" }];
      await transaction.run("T-once", () => producer.send({ topic: env.TOPIC, messages }));
      await work([env.TOPIC], ({ done }) => ({ eachMessage: async ({ message }) => {
        await withMessage(message, async () => undefined);
        done();
      } }));
      await producer.disconnect();
      `,
        { TOPIC: topic },
      );
      expect(sink.spans.map((span) => span.kind).toSorted()).toEqual([PRODUCER, CONSUMER]);
      const [message] = await topics.read(topic, 1);
      expect(Object.keys(message?.headers ?? {})).toHaveLength(4);
      const [sent, taken] = sink.spans.toSorted((a, b) => a.kind - b.kind);
      expect(taken?.attributes["clew.caller.run.id"]).toBe(sent?.resource["clew.run.id"]);
      expect(taken?.parentSpanId).toBe(sent?.spanId);
    },
    TEST_MS,
  );

  test(
    "eachMessage: each in its context, with its wait; expected errors told apart",
    async () => {
      const topic = await topics.create("each-message");
      const { printed, sink } = await run(
        `
      import { markExpected } from "@clew/instrumentation";
      const producer = await openProducer();
      for (const id of ["T-0", "T-1", "T-2"]) {
        await transaction.run(id, () => producer.send({ topic: env.TOPIC, messages: [
          { value: id, timestamp: String(Date.now() - 5000) }] }));
      }
      class Declined extends Error { name = "Declined"; }
        const failed = new Set();
      await work([env.TOPIC], ({ done }) => ({ eachMessage: async ({ message }) => {
        const value = String(message.value);
        await null;
        print([value, transaction.id()]);
        if (failed.has(value) || value === "T-2") return value === "T-2" ? done() : undefined;
        failed.add(value);
        throw value === "T-0" ? new Error("boom") : markExpected(new Declined());
      } }));
      await producer.disconnect();
      `,
        { TOPIC: topic },
      );
      const ids = ["T-0", "T-0", "T-1", "T-1", "T-2"];
      expect(printed.filter(Array.isArray)).toEqual(ids.map((id) => [id, id]));
      const spans = sink.spans.filter((span) => span.kind === CONSUMER);
      expect(spans.map((span) => span.attributes["clew.transaction.id"])).toEqual(ids);
      for (const span of spans) {
        expect(span.name).toBe(`process ${topic}`);
        expect(span.attributes["clew.queue.wait_ms"]).toBeGreaterThanOrEqual(5000);
        expect(span.attributes["messaging.consumer.group.name"]).toBe(`g-${topic}`);
        expect(parentOf(span, sink)?.kind).toBe(PRODUCER);
      }
      const outcomes = spans.map(({ status, attributes }) => [
        status,
        attributes["error.type"],
        attributes["clew.error.expected"],
      ]);
      expect(outcomes).toEqual([
        [2, "Error", undefined],
        [0, undefined, undefined],
        [0, "Declined", true],
        [0, undefined, undefined],
        [0, undefined, undefined],
      ]);
      expect(spans[0]?.events[0]?.attributes["exception.message"]).toBe("boom");
      const lines = sink.logs.filter((log) => String(log.body).startsWith("["));
      expect(lines.map((log) => log.attributes["clew.transaction.id"])).toEqual(ids);
    },
    TEST_MS,
  );

  test(
    "eachBatch: a receive span with links, and each message in its own context",
    async () => {
      const topic = await topics.create("each-batch");
      const { printed, sink } = await run(
        `
      const producer = await openProducer();
      for (const id of ["T-0", "T-1", "T-2"]) {
        const messages = [{ value: id }];
        await transaction.run(id, () => producer.send({ topic: env.TOPIC, messages }));
      }
      let seen = 0;
      await work([env.TOPIC], ({ done }) => ({ eachBatch: async ({ batch }) => {
        print(["batch", transaction.id() ?? null, batch.messages.length]);
        for (const message of batch.messages) {
          await withMessage(message, async () => print([String(message.value), transaction.id()]));
        }
        seen += batch.messages.length;
        if (seen === 3) done();
      } }));
      await producer.disconnect();
      `,
        { TOPIC: topic },
      );
      expect(printed[0]).toEqual(["batch", null, 3]);
      expect(printed.slice(1)).toEqual(["T-0", "T-1", "T-2"].map((id) => [id, id]));
      const received = sink.spans.find((span) => span.name === `receive ${topic}`);
      const sent = sink.spans.filter((span) => span.kind === PRODUCER);
      expect(received?.links.map((link) => link.spanId)).toEqual(sent.map((span) => span.spanId));
      expect(received?.attributes).toMatchObject({ "messaging.batch.message_count": 3 });
      expect(received?.attributes["clew.transaction.id"]).toBeUndefined();
      const worked = sink.spans.filter((span) => span.name === `process ${topic}`);
      expect(worked.map((span) => parentOf(span, sink)?.spanId)).toEqual(
        sent.map((span) => span.spanId),
      );
      expect(worked.map((span) => span.attributes["messaging.kafka.offset"])).toEqual([0, 1, 2]);
    },
    TEST_MS,
  );

  test(
    "an uninstrumented producer: a new ID, marked as the start",
    async () => {
      const topic = await topics.create("foreign");
      await topics.send(topic, [
        { value: "none" },
        { value: "bad", headers: { "X-Transaction-ID": "not an id!" } },
        { value: "theirs", headers: { "X-Correlation-ID": Buffer.from("theirs-7") } },
      ]);
      const { printed, sink } = await run(
        `
      await work([env.TOPIC], ({ done }) => ({ eachMessage: async ({ message }) => {
        print(transaction.id());
        if (String(message.value) === "theirs") done();
      } }));
      `,
        { TOPIC: topic },
      );
      const v7 = expect.stringMatching(UUID_V7);
      expect(printed).toEqual([v7, v7, "theirs-7"]);
      expect(printed[0]).not.toBe(printed[1]);
      expect(sink.spans.map((span) => span.attributes["clew.transaction.start"])).toEqual([
        true,
        true,
        undefined,
      ]);
      expect(sink.spans.map((span) => span.parentSpanId)).toEqual(["", "", ""]);
    },
    TEST_MS,
  );
});

function parentOf(span: ReceivedSpan, sink: OtlpSink): ReceivedSpan | undefined {
  return sink.spans.find((other) => other.spanId === span.parentSpanId);
}
