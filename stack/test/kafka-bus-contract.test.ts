import { afterAll, beforeAll, describe } from "vitest";
import { busContract } from "../../collector/src/bus/bus.contract.ts";
import { TOPICS } from "../../collector/src/bus/bus.ts";
import { setUpKafka } from "../../collector/src/bus/kafka/kafka-setup.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { BusHarness, kafkaConfig } from "./kafka-bus-harness.ts";

const FIRST_START_MS = 400_000;
const TEST_MS = 90_000;

describe.skipIf(!requireJava("the bus on a real Kafka"))("on a real broker", () => {
  const kafka = new KafkaBroker();
  beforeAll(() => kafka.start(), FIRST_START_MS);
  afterAll(() => kafka.stop());

  busContract("Kafka", {
    timeoutMs: TEST_MS,
    open: async ({ maxInFlightBytes }) => {
      const config = kafkaConfig(kafka.brokers);
      await setUpKafka(config);
      const harness = new BusHarness();
      const open = () => harness.open(config, { maxInFlightBytes, indexedTopics: TOPICS });
      const bus = await open();
      return {
        bus,
        async reopen() {
          await bus.stop();
          return open();
        },
        remove: () => harness.stop(),
      };
    },
  });
});
