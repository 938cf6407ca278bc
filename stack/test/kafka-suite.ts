import { afterAll, afterEach, beforeAll } from "vitest";
import type { KafkaBroker } from "../backends/kafka-broker.ts";

/** Maven may have to fetch Kafka first. */
const FIRST_START_MS = 400_000;
const STOP_MS = 180_000;

interface Opened {
  stop(): Promise<void>;
}

/**
 * One broker for all tests of a suite.
 * @returns a function that has what it is given stopped after the test, and gives it back
 */
export function suiteWith(broker: KafkaBroker): <T extends Opened>(opened: T) => T {
  const all: Opened[] = [];
  beforeAll(() => broker.start(), FIRST_START_MS);
  afterEach(async () => {
    for (const each of all.splice(0)) await each.stop();
  }, STOP_MS);
  afterAll(() => broker.stop());
  return (opened) => {
    all.push(opened);
    return opened;
  };
}
