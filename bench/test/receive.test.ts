import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { requireGo } from "../../stack/backends/otel-collector.ts";
import { requireJava } from "../../stack/backends/required-programs.ts";
import { readBackendsConfig } from "../../stack/config.ts";
import { benchReceive } from "../src/receive/receive-bench.ts";
import { SHORT } from "../src/receive/receive-plan.ts";
import { SUBJECTS } from "../src/receive/receive-servers.ts";

const FIRST_RUN_MS = 1_800_000;
const PLAN = {
  rounds: 1,
  cases: SHORT.cases
    .filter(({ name }) => /^(gzip, 1000|JSON, 10|gRPC, 1) /.test(name))
    .map((one) => ({ ...one, requests: 30 })),
  warmUpRequests: 10,
  warmUpShare: 0.2,
  overloadMs: 200,
};
const hasAll = requireJava("the bench of receiving") && requireGo("the bench of receiving");

describe.skipIf(!hasAll)("the bench of receiving", () => {
  it(
    "measures all three servers against one broker, and leaves nothing behind",
    async () => {
      const workDir = mkdtempSync(join(tmpdir(), "bench-"));
      onTestFinished(() => rmSync(workDir, { recursive: true }));
      const { cacheDir } = readBackendsConfig();
      const say = () => undefined;
      const options = { workDir, cacheDir, isShort: true, nodeArgs: [], say };
      const report = await benchReceive(options, PLAN);
      const cpu = report.rows.filter(({ name }) => name.startsWith("CPU, "));
      // Each case and the overload, of each server.
      expect(cpu).toHaveLength((PLAN.cases.length + 1) * SUBJECTS.length);
      for (const { name, value } of report.rows) expect(Number.isFinite(value), name).toBe(true);
      const inKafka = report.rows.filter(({ name }) => name.startsWith("messages in Kafka"));
      expect(inKafka.map(({ value }) => value)).toEqual([1, 1, 1]);
      expect(report.ratios.length).toBeGreaterThan(PLAN.cases.length * 2);
      expect(report.versions).toHaveProperty("otel collector", "0.157.0");
      expect(readdirSync(workDir)).toEqual([]);
    },
    FIRST_RUN_MS,
  );
});
