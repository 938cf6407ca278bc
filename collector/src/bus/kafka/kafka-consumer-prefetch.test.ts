import { beforeEach, expect, test } from "vitest";
import type { DeliveredMessage } from "../bus.ts";
import { KafkaConsumerPrefetch } from "./kafka-consumer-prefetch.ts";

const BOUND = 100_000;

let prefetch: KafkaConsumerPrefetch;
let offset: number;

beforeEach(() => {
  prefetch = new KafkaConsumerPrefetch(BOUND);
  offset = 0;
});

function message(bytes: number, partition = "logs/0"): DeliveredMessage {
  const headers = { requestId: "r", part: 0, records: 1, receivedNs: 1n, repeat: false };
  return { topic: "logs", partition, offset: offset++, headers, value: Buffer.alloc(bytes) };
}

function offsetsOf(messages: readonly DeliveredMessage[]): number[] {
  return messages.map((each) => each.offset);
}

test("gives messages in the order they came, about as many bytes as were asked for", () => {
  for (let i = 0; i < 6; i++) expect(prefetch.add(message(10_000))).toBe(true);
  expect(offsetsOf(prefetch.take(25_000))).toEqual([0, 1]);
  expect(offsetsOf(prefetch.take(1))).toEqual([2]);
  expect(prefetch.add(message(10_000))).toBe(true);
  expect(offsetsOf(prefetch.take(1_000_000))).toEqual([3, 4, 5, 6]);
  expect(prefetch.take(1)).toEqual([]);
  expect(prefetch.bytes).toBe(0);
});

test("holds no more than its bound, but for one message that is larger", () => {
  let count = 0;
  while (prefetch.add(message(30_000))) count++;
  expect(count).toBe(3);
  expect(prefetch.bytes).toBeLessThanOrEqual(BOUND);
  prefetch.take(BOUND);
  expect(prefetch.add(message(5 * BOUND))).toBe(true);
  expect(prefetch.add(message(1))).toBe(false);
  expect(prefetch.take(1)).toHaveLength(1);
  expect(prefetch.bytes).toBe(0);
});

test("bounds empty messages too", () => {
  let count = 0;
  while (prefetch.add(message(0))) count++;
  expect(count).toBeLessThan(BOUND / 100);
});

test("wants more of all below half, above it of those that are behind, of none when full", () => {
  const wanted = () => ["logs/0", "logs/1"].filter((partition) => prefetch.wants(partition));
  expect(wanted()).toEqual(["logs/0", "logs/1"]);
  prefetch.add(message(30_000));
  expect(wanted()).toEqual(["logs/0", "logs/1"]);
  prefetch.add(message(30_000));
  expect(wanted()).toEqual(["logs/1"]);
  prefetch.take(BOUND);
  expect(wanted()).toEqual(["logs/0", "logs/1"]);
  prefetch.add(message(BOUND));
  expect(wanted()).toEqual([]);
});

test("forgets everything at once", () => {
  for (const partition of ["logs/0", "logs/1"]) prefetch.add(message(40_000, partition));
  prefetch.take(1);
  prefetch.clear();
  expect(prefetch.bytes).toBe(0);
  expect(prefetch.take(BOUND)).toEqual([]);
  expect(prefetch.wants("logs/1")).toBe(true);
});
