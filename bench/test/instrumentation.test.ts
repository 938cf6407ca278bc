import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readBenchConfig } from "../src/config.ts";
import { benchInstrumentation } from "../src/instrumentation/instrumentation-bench.ts";
import { SUBJECTS } from "../src/instrumentation/subjects.ts";

const DEADLINE_MS = 300_000;
const TINY = {
  ...{
    rounds: 1,
    startsPerRound: 1,
    warmUpMs: 50,
    turns: 1,
    saturatedMs: 50,
    pacedTurns: 1,
    pacedMs: 100,
    lines: 1000,
  },
  subjects: SUBJECTS,
};

it(
  "measures every subject as users have it and leaves nothing behind",
  async () => {
    const workDir = mkdtempSync(join(tmpdir(), "bench-"));
    onTestFinished(() => rmSync(workDir, { recursive: true }));
    const { cacheDir } = readBenchConfig();
    const options = { workDir, cacheDir, isShort: true, nodeArgs: [], say: () => undefined };
    const { rows, ratios, versions } = await benchInstrumentation(options, TINY);
    const figureOf = (name: string, subject: string) =>
      rows.find((row) => row.name === name && row.subject === subject)?.value;
    for (const { name, isTracing } of SUBJECTS) {
      expect(figureOf("throughput, Hono", name), name).toBeGreaterThan(0);
      expect(figureOf("start to the first line", name), name).toBeGreaterThan(0);
      // A peer has spans of its own start as well.
      const spans = figureOf("spans received, Hono", name);
      if (isTracing) expect(spans, name).toBeGreaterThan(0.9);
      else expect(spans, name).toBe(0);
    }
    for (const { name, value, min, max } of rows) {
      expect(Number.isFinite(value), name).toBe(true);
      expect(min <= value && value <= max, name).toBe(true);
    }
    expect(ratios.length).toBeGreaterThan(10);
    expect(Object.values(versions)).not.toContain("unknown");
    expect(readdirSync(workDir)).toEqual([]);
  },
  DEADLINE_MS,
);
