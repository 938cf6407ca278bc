import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { IndexingBus, sendLogs, until } from "./kafka-indexing-bus.ts";
import { suiteWith } from "./kafka-suite.ts";
import { LetterCommands, ownRecord } from "./letter-commands.ts";
import { publishRefused } from "./letter-publisher.ts";
import { playLetterStory } from "./letter-story.ts";

const TEST_MS = 180_000;
const MIB = 1024 * 1024;

describe.skipIf(!requireJava("dead letters with Kafka as the bus"))("dead letters in Kafka", () => {
  const broker = new KafkaBroker();
  const keep = suiteWith(broker);

  test(
    "are seen, mended, sent again, given up, and all of it can be found",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics(2);
      const letters = await publishRefused(broker.brokers, bus.prefix);
      const collector = keep(await bus.startCollector());
      const clew = new LetterCommands(collector.queryUrl);
      await playLetterStory(clew, { letters, api: collector.api });
    },
    TEST_MS,
  );

  test(
    "too large for Kafka are kept whole, and stored once there is room",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics();
      const collector = keep(await bus.startCollector());
      const { api, otlpUrl, queryUrl } = collector;
      const clew = new LetterCommands(queryUrl);
      const body = randomBytes(MIB).toString("base64");
      expect(await sendLogs(otlpUrl, ownRecord("run-1", body))).toBe(200);
      await until(async () => expect(await clew.states()).toEqual({ "run-1": "open" }));
      const [letter] = await clew.letters();
      expect(letter).toMatchObject({ reason: "too_large", isWhole: true, refusals: 1 });
      const replay = ["dead-letters", "replay", "run-1"];
      const refused = await clew.run(replay);
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain("the bus takes");
      await bus.setMessageBytes(4 * MIB);
      // It reads the limits when it starts, and then once a minute.
      await collector.halt("SIGINT");
      await collector.resume();
      await until(async () => expect((await clew.run(replay)).code).toBe(0));
      expect((await clew.run(replay)).code).toBe(0);
      await until(async () => {
        const records = await api.recordsOf("order-of-run-1");
        expect(records.map(({ id, message }) => [id, message === body])).toEqual([["run-1", true]]);
      });
      await until(async () => expect(await clew.states()).toEqual({ "run-1": "replayed" }));
    },
    TEST_MS,
  );
});
