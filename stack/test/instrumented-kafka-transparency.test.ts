import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REGISTER, runApp } from "../../instrumentation/test/app-process.ts";
import { OtlpSink } from "../../instrumentation/test/otlp-sink.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { KAFKA_PROGRAM } from "./kafka-program.ts";
import { KafkaTopics } from "./kafka-topics.ts";

const FIRST_START_MS = 400_000;
const TEST_MS = 120_000;
const MESSAGES = 16;
const CONSUMER = 5;

/** Notes everything that kafkajs tells and asks of a consumer, for one script of troubles. */
const NOTES = `
  const notes = [];
  const attempts = new Map();
  const attempt = (offset) => {
    attempts.set(offset, (attempts.get(offset) ?? 0) + 1);
    return attempts.get(offset);
  };
  const watch = (consumer) => {
    const { COMMIT_OFFSETS, CRASH, STOP, GROUP_JOIN } = consumer.events;
    consumer.on(COMMIT_OFFSETS, ({ payload }) =>
      notes.push(["commit", payload.topics[0].partitions[0].offset]));
    consumer.on(CRASH, ({ payload }) =>
      notes.push(["crash", payload.error.name, payload.error.message, payload.restart]));
    consumer.on(STOP, () => notes.push(["stop"]));
    consumer.on(GROUP_JOIN, () => notes.push(["join"]));
  };
  const finish = async () => {
    const admin = kafka.admin();
    await admin.connect();
    const group = { groupId: "g-" + env.TOPIC, topics: [env.TOPIC] };
    const [{ partitions }] = await admin.fetchOffsets(group);
    notes.push(["committed", partitions[0].offset]);
    await admin.disconnect();
    print(notes);
  };
`;

const EACH_MESSAGE = `
  await work([env.TOPIC], ({ done, consumer }) => {
    watch(consumer);
    return { eachMessage(payload) {
      const { message, heartbeat, pause, partition } = payload;
      const offset = Number(message.offset);
      const count = attempt(offset);
      notes.push(["message", offset, count, String(message.value), String(message.headers.own),
        partition, Object.keys(payload), this?.constructor?.name]);
      if (offset === 2 && count < 3) throw new Error("thrown at once");
      if (offset === 4 && count < 3) return Promise.reject(new Error("rejected"));
      // More often than the consumer retries: it crashes and starts again.
      if (offset === 6 && count < 6) throw Object.assign(new Error("poison"), { code: "E_MINE" });
      if (offset === 8) return heartbeat().then(() => notes.push(["beat"]));
      if (offset === 10 && count === 1) {
        const resume = pause();
        notes.push(["paused", consumer.paused()[0].partitions.length]);
        setImmediate(() => {
          resume();
          notes.push(["resumed", consumer.paused()[0]?.partitions.length]);
        });
        return;
      }
      const seek = (to) => consumer.seek({ topic: env.TOPIC, partition, offset: to });
      if (offset === 12 && count === 1) seek("11");
      if (offset === 13) return { then: (resolve) => { notes.push(["thenable"]); resolve(); } };
      if (offset === ${MESSAGES - 1}) done();
    } };
  });
  await finish();
`;

const EACH_BATCH = `
  await work([env.TOPIC], ({ done, consumer }) => {
    watch(consumer);
    return { eachBatchAutoResolve: false, autoCommit: false, async eachBatch(payload) {
      const { batch, resolveOffset, heartbeat, commitOffsetsIfNecessary } = payload;
      notes.push(["batch", batch.firstOffset(), batch.lastOffset(), batch.messages.length,
        batch.partition, batch.isEmpty(), Object.keys(payload), this?.constructor?.name]);
      for (const message of batch.messages) {
        if (!payload.isRunning() || payload.isStale()) {
          notes.push(["left", payload.isRunning(), payload.isStale()]);
          break;
        }
        const offset = Number(message.offset);
        const count = attempt(offset);
        notes.push(["message", offset, count, String(message.value)]);
        if (offset === 3 && count === 1) throw new Error("in the middle");
        resolveOffset(message.offset);
        const { topic, partition } = batch;
        if (offset === 5 && count === 1) consumer.seek({ topic, partition, offset: "4" });
        if (offset === 7) await heartbeat();
        if (offset === 9) {
          notes.push(["uncommitted", payload.uncommittedOffsets().topics[0].partitions[0].offset]);
          await commitOffsetsIfNecessary(payload.uncommittedOffsets());
        }
        if (offset === ${MESSAGES - 1}) {
          await commitOffsetsIfNecessary(payload.uncommittedOffsets());
          done();
        }
      }
    } };
  });
  await finish();
`;

describe.skipIf(!requireJava("kafkajs with and without us"))("kafkajs with and without us", () => {
  const broker = new KafkaBroker();
  const sink = new OtlpSink();
  let endpoint = "";
  let topics: KafkaTopics;
  beforeAll(async () => {
    await broker.start();
    topics = new KafkaTopics(broker.brokers);
    // A broker's first consumer group waits for its coordinator, and only the first.
    const warm = await topics.create("warm");
    await topics.send(warm, [{ value: "up" }]);
    await topics.read(warm, 1);
    endpoint = await sink.start();
  }, FIRST_START_MS);
  afterAll(async () => {
    await sink.stop();
    await broker.stop();
  });

  async function notesOf(script: string, args: readonly string[]): Promise<unknown[]> {
    const topic = await topics.create("script");
    const messages = Array.from({ length: MESSAGES }, (_, index) => ({
      value: `v${index}`,
      headers: { own: `h${index}` },
    }));
    await topics.send(topic, messages);
    const end = await runApp({
      code: KAFKA_PROGRAM + NOTES + script,
      args: [...args, "--input-type=module"],
      endpoint,
      env: {
        BROKERS: broker.brokers.join(),
        TOPIC: topic,
        CLEW_SPOOL_DIR: "off",
        CLEW_METRICS_PORT: "off",
      },
    });
    expect(end).toMatchObject({ code: 0, signal: null });
    return JSON.parse(end.stdout) as unknown[];
  }

  test.each([
    ["eachMessage: retries, a crash, a restart, heartbeat, pause, seek", EACH_MESSAGE, "poison"],
    ["eachBatch: resolveOffset, isStale, commits of one's own", EACH_BATCH, "uncommitted"],
  ])("behaves as without us: %s", { timeout: TEST_MS }, async (_name, script, mark) => {
    sink.spans.length = 0;
    const bare = await notesOf(script, []);
    expect(sink.spans).toHaveLength(0);
    const instrumented = await notesOf(script, REGISTER);
    expect(instrumented).toEqual(bare);
    expect(JSON.stringify(bare)).toContain(mark);
    expect(bare.at(-1)).toEqual(["committed", String(MESSAGES)]);
    expect(sink.spans.some((span) => span.kind === CONSUMER)).toBe(true);
  });
});
