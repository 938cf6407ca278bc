import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { requireElasticsearch } from "../../stack/backends/elasticsearch-java.ts";
import { requireGo } from "../../stack/backends/otel-collector.ts";
import { requireJava } from "../../stack/backends/required-programs.ts";
import { readBackendsConfig } from "../../stack/config.ts";
import { benchIndex } from "../src/index/index-bench.ts";
import { EMBEDDED, WHAT } from "../src/index/index-budgets.ts";
import type { IndexPlan } from "../src/index/index-plan.ts";
import { CLEW, SUBJECTS } from "../src/index/index-servers.ts";

const FIRST_RUN_MS = 1_800_000;
const SHAPES = [
  { records: 1, transactions: 5, lookups: 5 },
  { records: 100, transactions: 2, lookups: 5 },
  { records: 10_000, transactions: 1, lookups: 2 },
];
const PLAN: IndexPlan = {
  rounds: { "null sink": 1, elasticsearch: 1 },
  // So few that they might all be there when the first sample is taken.
  warmUpRecords: 0,
  records: 4000,
  views: { elasticsearchRecords: 4000, embeddedRecords: 4000, shapes: SHAPES },
};
const what = "the bench of indexing";
const hasAll = requireJava(what) && requireElasticsearch(what) && requireGo(what);

describe.skipIf(!hasAll)("the bench of indexing", () => {
  it(
    "measures all indexers into both targets and views in both stores; ours loses nothing",
    async () => {
      const workDir = mkdtempSync(join(tmpdir(), "bench-"));
      onTestFinished(() => rmSync(workDir, { recursive: true }));
      const { cacheDir } = readBackendsConfig();
      const say = () => undefined;
      const options = { workDir, cacheDir, isShort: true, nodeArgs: [], say };
      const report = await benchIndex(options, PLAN);
      for (const { name, value } of report.rows) expect(Number.isFinite(value), name).toBe(true);
      const cpu = report.rows.filter(({ name }) => name.startsWith("CPU, into "));
      expect(cpu).toHaveLength(2 * SUBJECTS.length);
      const lost = report.rows.filter(
        ({ name, subject }) => subject === CLEW && /missing|twice/.test(name),
      );
      expect(lost.map(({ value }) => value)).toEqual([0, 0, 0]);
      const views = report.rows.filter(({ name }) => name.startsWith("transaction view p99"));
      expect(views).toHaveLength(2 * SHAPES.length);
      const disk = report.rows.find(
        ({ name, subject }) => subject === EMBEDDED && name === WHAT.disk(4000),
      );
      expect(disk?.value).toBeGreaterThan(0);
      expect(report.versions).toHaveProperty("elasticsearch", "9.5.3");
      expect(readdirSync(workDir)).toEqual([]);
    },
    FIRST_RUN_MS,
  );
});
