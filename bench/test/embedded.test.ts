import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { benchEmbedded } from "../src/embedded-bench.ts";

it("measures a real collector and leaves nothing behind", async () => {
  const workDir = mkdtempSync(join(tmpdir(), "bench-"));
  onTestFinished(() => rmSync(workDir, { recursive: true }));
  const said: string[] = [];
  const report = await benchEmbedded(
    { workDir, cacheDir: workDir, isShort: true, nodeArgs: [], say: (line) => said.push(line) },
    { starts: 1, loads: [5000, 8000] },
  );
  const names = report.rows.map((row) => row.name);
  expect(names).toContain("receive to searchable, 5,000 to 8,000 records");
  expect(names).toContain("transaction view p99, at 8,000 records");
  for (const { name, value, min, max } of report.rows) {
    expect(Number.isFinite(value), name).toBe(true);
    expect(min <= value && value <= max, name).toBe(true);
  }
  expect(report.ratios.map((ratio) => ratio.name)).toContain("start to ready");
  expect(said.length).toBeGreaterThan(3);
  expect(readdirSync(workDir)).toEqual([]);
});
