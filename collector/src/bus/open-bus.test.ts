import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readConfig } from "../config.ts";
import type { Bus } from "./bus.ts";
import { openBus } from "./open-bus.ts";

/** A port of the loopback that nobody listens on: Kafka is away. */
const KAFKA = { CLEW_KAFKA_BROKERS: "127.0.0.1:1" };

let dataDir: string;
let reports: string[];
let opened: Bus | undefined;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "clew-open-"));
  reports = [];
});

afterEach(async () => {
  await opened?.stop();
  rmSync(dataDir, { recursive: true });
});

async function open(env: Readonly<Record<string, string>> = {}): Promise<Bus> {
  const { bus, reader } = await openBus({
    config: readConfig({ CLEW_DATA_DIR: dataDir, ...env }),
    otherBytes: () => 0,
    nowNs: () => 1n,
    report: (line) => reports.push(line),
  });
  opened = bus;
  expect(reader().kind).toBe(Object.keys(env).length > 0 ? "kafka" : "embedded");
  return bus;
}

test("opens Kafka while it is away, and keeps the data directory for this process", async () => {
  await open(KAFKA);
  expect(reports.filter((line) => !line.includes("ECONNREFUSED"))).toEqual([]);
  const config = readConfig({ CLEW_DATA_DIR: dataDir });
  const second = openBus({ config, otherBytes: () => 0, nowNs: () => 1n, report: vi.fn() });
  await expect(second).rejects.toMatchObject({ code: "DATA_DIR_IN_USE" });
});

test("says what the embedded bus still holds when the bus becomes Kafka", async () => {
  const embedded = await open();
  const headers = { requestId: "r", part: 0, records: 7, receivedNs: 1n, repeat: false };
  await embedded.publish({ topic: "logs", headers, value: Buffer.from("value") });
  await embedded.stop();
  await open(KAFKA);
  expect(reports[0]).toContain("still holds 7 records in 1 messages");
  expect(reports[0]).toContain("CLEW_KAFKA_BROKERS");
  await opened?.stop();
  // Nothing was changed by looking.
  expect(await (await open()).lag()).toMatchObject({ messages: 1, records: 7 });
});
