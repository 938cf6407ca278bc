import { beforeEach, describe, expect, it, vi } from "vitest";
import { logsRequest, metricsRequest } from "../../test/otlp-fixtures.ts";
import { createReceiver, type MemoryBus, NOW_NS } from "../../test/receiver-harness.ts";
import type { OutgoingMessage } from "../bus/bus.ts";
import { ClewError } from "../errors.ts";
import { decodeDeadLetterMessage } from "../indexer/dead-letter-message.ts";
import type { Signal } from "../otlp/otlp-schema.ts";
import { walkOtlp } from "../otlp/otlp-walk.ts";
import type { DeadLetter } from "../store/dead-letter.ts";
import { METRIC } from "../wire-names.ts";
import { PARTS_IN_FLIGHT_MAX } from "./request-parts.ts";

const RESOURCE = { "service.name": "orders" };
const KIB = 1024;

let created: ReturnType<typeof createReceiver>;
let bus: MemoryBus;
beforeEach(() => {
  created = createReceiver({ transactionKeys: ["order"] });
  bus = created.bus;
});

function take(value: Buffer, signal: Signal = "logs") {
  const reservation = created.intake.open();
  reservation.grow(value.length);
  return created.intake
    .take({ signal, value, isRepeat: true, reservation })
    .finally(() => reservation.release());
}

/** So many records of some 1 KiB each. */
function logs(count: number): Buffer {
  const records = Array.from({ length: count }, (_, i) => ({ body: `${i} `.padEnd(KIB, "x") }));
  return logsRequest([{ resource: RESOURCE, records }]);
}

describe("a request that is larger than one message", () => {
  it("is published in parts of one request id, each within the limit", async () => {
    bus.maxMessageBytes = 10 * KIB;
    const value = logs(100);
    expect(await take(value)).toEqual({ accepted: 100, rejected: 0, reason: "" });
    expect(bus.messages.length).toBeGreaterThan(10);
    expect(bus.messages.map(({ headers }) => headers.part)).toEqual(bus.messages.map((_, i) => i));
    expect(new Set(bus.messages.map(({ headers }) => headers.requestId)).size).toBe(1);
    let records = 0;
    for (const message of bus.messages) {
      expect(message.value.length).toBeLessThanOrEqual(10 * KIB);
      expect(message.headers).toMatchObject({ repeat: true, receivedNs: NOW_NS });
      expect(walkOtlp("logs", message.value)).toBe(message.headers.records);
      records += message.headers.records;
    }
    expect(records).toBe(100);
    expect(await metric(METRIC.acceptedRecords)).toBe(100);
  });

  it("is one message where it fits exactly", async () => {
    const value = logs(3);
    bus.maxMessageBytes = value.length;
    await take(value);
    expect(bus.messages).toHaveLength(1);
    bus.maxMessageBytes--;
    await take(value);
    expect(bus.messages).toHaveLength(3);
  });

  it("is acknowledged when its last part is durable, and few parts are on the way", async () => {
    bus.maxMessageBytes = 2 * KIB;
    const last = Promise.withResolvers<void>();
    let [begun, open, openMax, isTaken] = [0, 0, 0, false];
    bus.fault = async () => {
      openMax = Math.max(openMax, ++open);
      if (++begun === 30) await last.promise;
      await Promise.resolve();
      open--;
    };
    const taking = take(logs(30)).finally(() => {
      isTaken = true;
    });
    await vi.waitFor(() => expect(bus.messages).toHaveLength(29));
    expect([isTaken, openMax]).toEqual([false, PARTS_IN_FLIGHT_MAX]);
    last.resolve();
    expect(await taking).toMatchObject({ accepted: 30 });
    expect(await metric(METRIC.inFlightBytes)).toBe(0);
  });

  it("is refused as a whole where one part is, and no further part begins", async () => {
    bus.maxMessageBytes = 2 * KIB;
    let published = 0;
    bus.fault = async () => {
      published++;
      if (published === 3) throw new ClewError("BUS_DISK_FULL", "cannot write: no space is left");
    };
    await expect(take(logs(100))).rejects.toMatchObject({ code: "BUS_DISK_FULL" });
    expect(published).toBeLessThan(3 + 2 * PARTS_IN_FLIGHT_MAX);
    expect(await metric(METRIC.acceptedRecords)).toBe(0);
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBe(0));
  });

  it("is refused for now where the bus lowers its limit meanwhile", async () => {
    bus.maxMessageBytes = 20 * KIB;
    bus.fault = async () => {
      bus.maxMessageBytes = 10 * KIB;
      throw new ClewError("BUS_MESSAGE_TOO_LARGE", "cannot write: too large");
    };
    await expect(take(logs(100))).rejects.toMatchObject({ code: "BUS_UNAVAILABLE" });
    bus.fault = async () => undefined;
    expect(await take(logs(100))).toMatchObject({ accepted: 100 });
  });

  it("too late is refused, and no further part begins", async () => {
    created = createReceiver({}, { publishMs: 30 });
    bus = created.bus;
    bus.maxMessageBytes = 2 * KIB;
    const durable = Promise.withResolvers<void>();
    let published = 0;
    bus.fault = () => {
      published++;
      return durable.promise;
    };
    await expect(take(logs(100))).rejects.toMatchObject({ code: "BUS_UNAVAILABLE" });
    durable.resolve();
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBe(0));
    expect(published).toBeLessThan(2 * PARTS_IN_FLIGHT_MAX);
  });
});

describe("a record that no message can hold", () => {
  const LARGE = {
    body: "L".repeat(1500 * KIB),
    attributes: { "log.record.uid": "run-7", order: "order-1" },
  };

  it("is kept as a dead letter in chunks, and the rest is taken", async () => {
    bus.maxMessageBytes = 900 * KIB;
    const records = [{ body: "first" }, LARGE, { body: "last" }];
    const outcome = await take(logsRequest([{ resource: RESOURCE, records }]));
    expect(outcome).toMatchObject({ accepted: 3, rejected: 0 });
    expect(outcome.reason).toContain("dead letters, because they are too large: 1");
    const [rest, chunks] = byTopic();
    expect(rest.map(({ headers }) => headers.records)).toEqual([2]);
    expect(chunks.map(({ headers }) => headers.records)).toEqual([1, 0, 0]);
    const letters = chunks.map(({ value }) => {
      expect(value.length).toBeLessThanOrEqual(512 * KIB);
      return letterIn(value);
    });
    expect(letters[0]).toMatchObject({
      reason: "too_large",
      topic: "logs",
      transactionId: "order-1",
      service: "orders",
      receivedNs: NOW_NS,
      refusedNs: NOW_NS,
    });
    expect(letters.map(({ piece }) => piece)).toEqual(
      [0, 1, 2].map((index) => ({ index, count: 3 })),
    );
    const original = Buffer.concat(letters.map((letter) => letter.original));
    const alone = logsRequest([{ resource: RESOURCE, records: [LARGE] }]);
    expect(original.equals(alone)).toBe(true);
    expect(await metric(METRIC.tooLargeRecords)).toBe(1);
    expect(await metric(METRIC.acceptedRecords)).toBe(3);
  });

  it("has the same id when it is sent again", async () => {
    bus.maxMessageBytes = 900 * KIB;
    const value = logsRequest([{ resource: RESOURCE, records: [LARGE] }]);
    await take(value);
    await take(value);
    const ids = byTopic()[1].map(({ value: chunk }) => letterIn(chunk).id);
    expect(ids.slice(0, 3)).toEqual(ids.slice(3));
    expect(ids[0]).toContain("run-7");
  });

  it("is a metric too", async () => {
    bus.keepsMetrics = true;
    bus.maxMessageBytes = 2 * KIB;
    const value = metricsRequest("n".repeat(3 * KIB), [1, 2]);
    expect(await take(value, "metrics")).toMatchObject({ accepted: 2, rejected: 0 });
    const letters = byTopic()[1].map((message) => letterIn(message.value));
    expect(letters[0]).toMatchObject({ topic: "metrics", transactionId: "", service: "" });
  });

  it("is not acknowledged before it is durable", async () => {
    bus.maxMessageBytes = 900 * KIB;
    bus.fault = () => Promise.reject(new ClewError("BUS_UNAVAILABLE", "cannot write: away"));
    const value = logsRequest([{ resource: RESOURCE, records: [LARGE] }]);
    await expect(take(value)).rejects.toMatchObject({ code: "BUS_UNAVAILABLE" });
    expect(await metric(METRIC.tooLargeRecords)).toBe(0);
  });
});

describe("metrics", () => {
  it("are rejected by a bus that keeps none, and say why", async () => {
    const outcome = await take(metricsRequest("up", [1, 2]), "metrics");
    expect(outcome).toMatchObject({ accepted: 0, rejected: 2 });
    expect(outcome.reason).toContain("keeps no metrics");
    expect(bus.messages).toEqual([]);
  });

  it("are published to their topic by one that does", async () => {
    bus.keepsMetrics = true;
    const outcome = await take(metricsRequest("up", [1, 2]), "metrics");
    expect(outcome).toEqual({ accepted: 2, rejected: 0, reason: "" });
    expect(bus.messages[0]).toMatchObject({ topic: "metrics", headers: { records: 2 } });
  });
});

function letterIn(value: Uint8Array): DeadLetter {
  return decodeDeadLetterMessage(value).deadLetters[0] as DeadLetter;
}

function byTopic(): [rest: OutgoingMessage[], deadLetters: OutgoingMessage[]] {
  const isLetter = ({ topic }: OutgoingMessage) => topic === "dead-letters";
  return [bus.messages.filter((message) => !isLetter(message)), bus.messages.filter(isLetter)];
}

async function metric(name: string): Promise<number> {
  const found = await created.registry.getSingleMetric(name)?.get();
  return found?.values.reduce((total, { value }) => total + value, 0) ?? 0;
}
