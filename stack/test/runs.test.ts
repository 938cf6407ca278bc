import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App, REGISTER, runApp } from "../../instrumentation/test/app-process.ts";
import type { ReadRecord } from "./query-api.ts";
import { RealCollector } from "./real-collector.ts";

let collector: RealCollector;

beforeEach(async () => {
  collector = await RealCollector.start();
});
afterEach(() => collector.stop());

const PROGRAM = join(import.meta.dirname, "runs-program.ts");
const INSTANCE = "orders-7";
const LINES = 40;
const STORED_DEADLINE_MS = 30_000;

interface Run {
  readonly runId: string;
  readonly instance: unknown;
  /** Sequence numbers of the log records that are stored, sorted. */
  readonly sequences: readonly number[];
  /** Attributes of the run's final report. */
  readonly final: Readonly<Record<string, unknown>> | undefined;
  readonly lines: number;
}

function runsOf(logs: readonly ReadRecord[]): readonly Run[] {
  const byRun = Map.groupBy(logs, (log) => String(log.resource["clew.run.id"]));
  return [...byRun].map(([runId, own]) => {
    const numbered = own
      .map((log) => ({ log, sequence: Number(log.id.slice(runId.length + 1)) }))
      .toSorted((a, b) => a.sequence - b.sequence);
    expect(own.every((log) => log.id.startsWith(`${runId}-`))).toBe(true);
    const finals = numbered.filter(({ log }) => log.attributes["clew.report.final"] === true);
    return {
      runId,
      instance: own[0]?.resource["service.instance.id"],
      sequences: numbered.map(({ sequence }) => sequence),
      final: finals.at(-1)?.log.attributes,
      lines: own.filter((log) => log.message.startsWith("line ")).length,
    };
  });
}

/** Waits until so many runs have ended whole, and expects of each that nothing is missing. */
async function expectWholeRuns(count: number): Promise<readonly Run[]> {
  const runs = await vi.waitFor(
    async () => {
      const found = runsOf(await collector.api.logsAndReports());
      expect(found.filter((run) => run.final !== undefined)).toHaveLength(count);
      return found;
    },
    { timeout: STORED_DEADLINE_MS, interval: 200 },
  );
  expect(runs).toHaveLength(count);
  for (const { sequences, final } of runs) {
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    expect(final).toMatchObject({
      "clew.report.logs.emitted": sequences.length,
      "clew.report.logs.dropped": 0,
    });
  }
  return runs;
}

/** @param role the program's last argument */
async function start(role: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const args = [...REGISTER, PROGRAM];
  const end = await runApp({ code: role, endpoint: collector.otlpUrl, env, args });
  expect([end.code, end.stderr]).toEqual([0, ""]);
}

/** What Prometheus is told to scrape. */
async function scrapeTargets(): Promise<readonly string[]> {
  const response = await fetch(`${collector.queryUrl}/sd/prometheus`);
  const groups = (await response.json()) as { targets: string[] }[];
  return groups.flatMap(({ targets }) => targets);
}

function sorted(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((a, b) => a - b);
}

test.each([
  ["a cluster of three workers", "cluster", [1, LINES, LINES, LINES]],
  ["child_process.fork", "fork", [1, LINES]],
  ["three worker threads", "threads", [1, LINES, LINES, LINES]],
])("scenario 12: %s: each is a run of its own, its uids gapless", async (_, role, lines) => {
  await start(role);
  const runs = await expectWholeRuns(lines.length);
  expect(sorted(runs.map((run) => run.lines))).toEqual(lines);
});

test("scenario 12: restarted with the same service.instance.id, no uid comes twice", async () => {
  const env = { OTEL_RESOURCE_ATTRIBUTES: `service.instance.id=${INSTANCE}` };
  for (let restart = 0; restart < 3; restart++) await start("alone", env);
  const runs = await expectWholeRuns(3);
  expect(runs.map((run) => [run.instance, run.lines])).toEqual(
    Array.from({ length: 3 }, () => [INSTANCE, LINES]),
  );
  expect(new Set(runs.map((run) => run.runId)).size).toBe(3);
});

test("scenario 12: a run that was killed has no final report, and no gap", async () => {
  const app = new App({
    endpoint: collector.otlpUrl,
    code: `for (let i = 0; i < ${LINES}; i++) console.log("line", i); setInterval(() => 0, 1000);`,
  });
  await vi.waitFor(
    async () => {
      const [run] = runsOf(await collector.api.logsAndReports());
      // The lines, and the first report after them.
      expect(run?.sequences).toHaveLength(LINES + 1);
    },
    { timeout: STORED_DEADLINE_MS, interval: 200 },
  );
  app.child.kill("SIGKILL");
  await app.ended;
  const [run] = runsOf(await collector.api.logsAndReports());
  expect(run?.final).toBeUndefined();
  expect(run?.sequences).toEqual(Array.from({ length: LINES + 1 }, (_, index) => index + 1));
});

test("scenario 22: an instance is in /sd/prometheus while it runs, and answers", async () => {
  const app = new App({
    endpoint: collector.otlpUrl,
    code: "process.stdin.on('end', () => process.exit()).resume();",
  });
  const targets = await vi.waitFor(
    async () => {
      const found = await scrapeTargets();
      expect(found).toHaveLength(1);
      return found;
    },
    { timeout: STORED_DEADLINE_MS, interval: 200 },
  );
  const response = await fetch(`http://${targets[0]}/metrics`);
  expect(await response.text()).toContain('target_info{service_name="test-app"');
  app.child.stdin?.end();
  await app.ended;
  await vi.waitFor(async () => expect(await scrapeTargets()).toEqual([]), {
    timeout: STORED_DEADLINE_MS,
    interval: 200,
  });
});
