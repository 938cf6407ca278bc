import { expect, test } from "vitest";
import { SECOND_NS, THEN_NS } from "../../../test/verdict-fixture.ts";
import type { ServiceOverview } from "../../store/store.ts";
import { TopicConsumers } from "./topic-consumers.ts";

interface Window {
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
}

function serviceOf(service: string, ...names: string[]): ServiceOverview {
  const figures = { count: 1, errors: 0, p50Ms: 1, p99Ms: 1 };
  const operations = names.map((operation) => ({ service, operation, ...figures }));
  return { service, logs: 0, errorLogs: 0, spans: 1, lastSeenNs: 0n, operations };
}

const SERVICES = [
  serviceOf("shipping", "process orders", "POST /orders", "receive orders", "process"),
  serviceOf("mailer", "mails process", "process mails of all", "process a b"),
];

function newConsumers() {
  const asked: Window[] = [];
  const clock = { ms: 0 };
  const state = { fault: undefined as Error | undefined };
  const services = async (window: Window) => {
    asked.push(window);
    if (state.fault !== undefined) throw state.fault;
    return SERVICES;
  };
  const consumers = new TopicConsumers({ reader: { services }, nowMs: () => clock.ms });
  return { asked, clock, state, consumers };
}

test("who works on a topic, by the names of operations of today and of before", async () => {
  const { consumers } = newConsumers();
  expect(await consumers.find([THEN_NS])).toEqual([
    { topic: "orders", service: "shipping" },
    { topic: "mails", service: "mailer" },
  ]);
});

test("only those count that did so before the message was sent", async () => {
  const { asked, consumers } = newConsumers();
  await consumers.find([THEN_NS + 7n * SECOND_NS]);
  expect(asked).toEqual([{ fromNs: THEN_NS - 900n * SECOND_NS, toNs: THEN_NS }]);
});

test("times near each other share an answer, for a while; of many, some are asked", async () => {
  const { asked, clock, consumers } = newConsumers();
  await consumers.find([THEN_NS, THEN_NS + 100n * SECOND_NS]);
  await consumers.find([THEN_NS + 200n * SECOND_NS]);
  expect(asked).toHaveLength(1);
  clock.ms = 11_000;
  await consumers.find([THEN_NS]);
  expect(asked).toHaveLength(2);
  await consumers.find(
    Array.from({ length: 99 }, (_, i) => THEN_NS + BigInt(i) * 1000n * SECOND_NS),
  );
  expect(asked.length).toBeLessThanOrEqual(10);
});

test("a failure is told, and asked anew", async () => {
  const { asked, state, consumers } = newConsumers();
  state.fault = new Error("the store is away");
  await expect(consumers.find([THEN_NS])).rejects.toThrow("the store is away");
  state.fault = undefined;
  expect(await consumers.find([THEN_NS])).toHaveLength(2);
  expect(asked).toHaveLength(2);
});
