import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { busContract } from "./bus.contract.ts";
import type { OutgoingMessage } from "./bus.ts";
import { lockDirectory } from "./directory-lock.ts";
import { EmbeddedBus } from "./embedded-bus.ts";
import { RemoteBus } from "./remote-bus.ts";

const LIMIT_BYTES = 1000;

let dir: string;
let storeBytes: number;
const opened: RemoteBus[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-remote-"));
  storeBytes = 0;
});

afterEach(async () => {
  for (const bus of opened.splice(0)) await bus.stop();
  rmSync(dir, { recursive: true });
});

/** The embedded bus stands for the one on other machines. */
async function open(maxInFlightBytes = 2 ** 20): Promise<RemoteBus> {
  const nowNs = () => BigInt(Date.now()) * 1_000_000n;
  const bus = new RemoteBus({
    bus: await EmbeddedBus.open({ dir: join(dir, "elsewhere"), maxInFlightBytes, nowNs }),
    lock: lockDirectory(join(dir, "bus")),
    diskLimitBytes: LIMIT_BYTES,
    storeBytes: () => storeBytes,
  });
  opened.push(bus);
  return bus;
}

busContract("beside a store here", {
  timeoutMs: 30_000,
  open: async ({ maxInFlightBytes }) => ({
    bus: await open(maxInFlightBytes),
    async reopen() {
      await opened.pop()?.stop();
      return open(maxInFlightBytes);
    },
    remove: async () => undefined,
  }),
});

function message(): OutgoingMessage {
  const headers = { requestId: "r", part: 0, records: 1, receivedNs: 1n, repeat: false };
  return { topic: "logs", headers, value: Buffer.from("value") };
}

test("refuses what comes while the store has reached the limit, and takes more later", async () => {
  const bus = await open();
  await bus.publish(message());
  storeBytes = LIMIT_BYTES;
  const full = { code: "BUS_DISK_FULL", message: expect.stringContaining("CLEW_DISK_LIMIT") };
  await expect(bus.publish(message())).rejects.toMatchObject(full);
  await expect(bus.check()).rejects.toMatchObject(full);
  expect(await bus.lag()).toMatchObject({ messages: 1 });
  storeBytes = LIMIT_BYTES - 1;
  await bus.check();
  await bus.publish(message());
  const consumer = await bus.openConsumer(new Map());
  const signal = AbortSignal.timeout(10_000);
  expect(await consumer.read({ maxBytes: 1000, signal })).toHaveLength(2);
});

test("keeps the data directory for one process until it has stopped", async () => {
  const bus = await open();
  expect(() => lockDirectory(join(dir, "bus"))).toThrow(/cannot use the data directory/);
  await bus.stop();
  lockDirectory(join(dir, "bus")).release();
});
