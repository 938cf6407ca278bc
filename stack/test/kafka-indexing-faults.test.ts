import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import {
  IndexingBus,
  isReady,
  LogLoad,
  logsOf,
  sendLogs,
  textsOf,
  until,
} from "./kafka-indexing-bus.ts";
import { suiteWith } from "./kafka-suite.ts";

const TEST_MS = 240_000;
const PASSWORD = "the right password";
const CLEW = join(import.meta.dirname, "../../collector/bin/clew.js");

describe.skipIf(!requireJava("a broker that fails under the collector"))("a failing broker", () => {
  const broker = new KafkaBroker({
    security: { sasl: { mechanism: "SCRAM-SHA-512", username: "clew", password: PASSWORD } },
  });
  const keep = suiteWith(broker);

  const start = async (bus: IndexingBus) => keep(await bus.startCollector());

  const faults = [
    {
      name: "crashes and comes back",
      begin: () => broker.crash(),
      end: () => broker.restart(),
    },
    {
      name: "stands still for a while",
      begin: async () => broker.freeze(),
      end: async () => broker.thaw(),
    },
  ];
  for (const fault of faults) {
    test(
      `a broker that ${fault.name}: 503 and not ready, then all is well by itself`,
      async () => {
        const bus = new IndexingBus(broker.brokers);
        await bus.createTopics(2);
        const collector = await start(bus);
        const load = new LogLoad("faulty");
        load.start(collector.otlpUrl);
        await until(async () => expect(load.acknowledged.length).toBeGreaterThan(500));
        await fault.begin();
        await until(async () => expect(await isReady(collector)).toBe(false));
        expect(await sendLogs(collector.otlpUrl, logsOf("refused", ["now"]))).toBe(503);
        await fault.end();
        const before = load.acknowledged.length;
        await until(async () => expect(load.acknowledged.length).toBeGreaterThan(before + 200));
        await until(async () => expect(await isReady(collector)).toBe(true));
        await load.stop();
        await until(async () => {
          const found = new Set(await textsOf(collector, "faulty"));
          expect(load.acknowledged.filter((text) => !found.has(text))).toEqual([]);
        });
        await until(async () => {
          const { committed, end } = await bus.offsets();
          expect(committed).toBe(end);
        });
      },
      TEST_MS,
    );
  }

  test(
    "a collector that starts while the broker is away waits for it",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics();
      await broker.crash();
      const collector = await start(bus);
      expect(await isReady(collector)).toBe(false);
      expect(await sendLogs(collector.otlpUrl, logsOf("waited", ["too early"]))).toBe(503);
      await broker.restart();
      await until(async () => expect(await isReady(collector)).toBe(true));
      expect(await sendLogs(collector.otlpUrl, logsOf("waited", ["in time"]))).toBe(200);
      await until(async () => expect(await textsOf(collector, "waited")).toContain("in time"));
    },
    TEST_MS,
  );

  test(
    "with a wrong password it ends with exit code 1 and one line; with the right one it works",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics();
      const dataDir = mkdtempSync(join(tmpdir(), "clew-password-"));
      const env = {
        ...bus.env,
        CLEW_KAFKA_BROKERS: broker.secureBrokers.join(),
        CLEW_KAFKA_SASL_MECHANISM: "scram-sha-512",
        CLEW_KAFKA_SASL_USERNAME: "clew",
      };
      const refused = spawnSync(process.execPath, [CLEW, "serve", "--json"], {
        env: {
          ...{ PATH: process.env.PATH, CLEW_DATA_DIR: dataDir, CLEW_PORT: "0" },
          ...{ CLEW_OTLP_HTTP_PORT: "0", CLEW_OTLP_GRPC_PORT: "0", CLEW_JAEGER_PORT: "0" },
          ...{ ...env, CLEW_KAFKA_SASL_PASSWORD: "a wrong password" },
        },
        encoding: "utf8",
        timeout: TEST_MS,
      });
      rmSync(dataDir, { recursive: true, force: true });
      expect(refused.status).toBe(1);
      expect(refused.stdout).toBe("");
      expect(refused.stderr).toMatch(/^[^\n]*CLEW_KAFKA_SASL_PASSWORD[^\n]*\n$/);
      expect(refused.stderr).not.toContain("a wrong password");
      const right = { ...env, CLEW_KAFKA_SASL_PASSWORD: PASSWORD };
      const collector = keep(await bus.startCollector(right));
      expect(await sendLogs(collector.otlpUrl, logsOf("secret", ["told"]))).toBe(200);
      await until(async () => expect(await textsOf(collector, "secret")).toEqual(["told"]));
    },
    TEST_MS,
  );
});
