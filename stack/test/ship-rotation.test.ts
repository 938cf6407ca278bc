/** `clew ship --follow` end to end: a real writer, a real logrotate, a real collector. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Logrotate } from "../backends/logrotate.ts";
import type { ReadRecord } from "./query-api.ts";
import { RealCollector } from "./real-collector.ts";
import { runCommand } from "./run-command.ts";
import { LogWriter, Shipper } from "./shipping-processes.ts";

const STORED_DEADLINE = { timeout: 60_000, interval: 500 };
const TEST_DEADLINE_MS = 180_000;
const LINES_PER_SECOND = 5000;
const ROTATIONS = 20;

let folder: string;
let logs: string;
let collector: RealCollector;
let shipper: Shipper;
let writer: LogWriter | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "clew-ship-"));
  logs = join(folder, "logs");
  mkdirSync(logs);
  collector = await RealCollector.start();
});

afterEach(async () => {
  writer?.child.kill("SIGKILL");
  await shipper.halt();
  await collector.stop();
  rmSync(folder, { recursive: true, force: true });
});

function follow(...args: readonly string[]): Shipper {
  const state = ["--state-dir", join(folder, "state"), "--otlp-url", collector.otlpUrl];
  return new Shipper(["--follow", ...args, ...state]);
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Of each record its number; the store has each uid once, so that none counts twice. */
function numbersIn(records: readonly ReadRecord[]): number[] {
  const found = records.map(({ message }) => Number(/ line=(\d+) /.exec(message)?.[1] ?? -1));
  return found.toSorted((a, b) => a - b);
}

/** Every line once: none is missing, none is there twice. */
async function storesEachLineOnce(count: number): Promise<void> {
  await vi.waitFor(async () => {
    const stored = numbersIn(await collector.api.logs());
    expect(stored.length).toBeGreaterThanOrEqual(count);
    expect(stored).toEqual(numbers(count));
  }, STORED_DEADLINE);
}

test(
  "20 rotations by rename, kill -9 of ship and of the collector: each line once",
  async () => {
    const file = join(logs, "app.log");
    writer = new LogWriter({ file, perSecond: LINES_PER_SECOND });
    const logrotate = await Logrotate.fetch(folder, [
      `${file} {`,
      ...["rotate 50", "create", "nocompress"],
      ...["postrotate", `kill -HUP ${writer.child.pid}`, "endscript", "}"],
    ]);
    shipper = follow(`${file}*`);
    await shipper.start();
    for (let turn = 0; turn < ROTATIONS; turn++) {
      await writer.writes(2000);
      await logrotate.rotate();
      if (turn % 4 === 3) {
        await shipper.halt();
        await shipper.start();
      }
      if (turn === 5) await collector.halt();
      if (turn === 9) await collector.resume();
    }
    const lines = await writer.stop();
    expect(lines).toBeGreaterThan(ROTATIONS * 2000);
    await storesEachLineOnce(lines);
    await shipper.halt("SIGINT");
    expect(shipper.exitCode, shipper.output).toBe(0);
  },
  TEST_DEADLINE_MS,
);

test(
  "rotation by copy and truncation, while the writer pauses: each line once",
  async () => {
    const file = join(logs, "app.log");
    writer = new LogWriter({ file, perSecond: LINES_PER_SECOND });
    const rules = [`${file} {`, "rotate 50", "copytruncate", "nocompress", "}"];
    const logrotate = await Logrotate.fetch(folder, rules);
    // The copies match as well: what is in them is known.
    shipper = follow(`${file}*`);
    await shipper.start();
    for (let turn = 0; turn < 8; turn++) {
      await writer.writes(3000);
      await writer.pause();
      await logrotate.rotate();
      writer.goOn();
    }
    const lines = await writer.stop();
    await storesEachLineOnce(lines);
    expect(readdirSync(logs).length).toBeGreaterThan(8);
  },
  TEST_DEADLINE_MS,
);

test(
  "archives that are compressed a turn later; shipped again by hand they are as many lines more",
  async () => {
    const file = join(logs, "app.log");
    writer = new LogWriter({ file, perSecond: LINES_PER_SECOND });
    const logrotate = await Logrotate.fetch(folder, [
      `${file} {`,
      ...["rotate 50", "create", "compress", "delaycompress"],
      ...["postrotate", `kill -HUP ${writer.child.pid}`, "endscript", "}"],
    ]);
    shipper = follow(`${file}*`, "--exclude", "*.gz");
    await shipper.start();
    for (let turn = 0; turn < 5; turn++) {
      await writer.writes(3000);
      await logrotate.rotate();
    }
    const lines = await writer.stop();
    await storesEachLineOnce(lines);
    const packed = readdirSync(logs).filter((name) => name.endsWith(".gz"));
    expect(packed).toHaveLength(4);
    const ship = `node collector/bin/clew.js ship ${join(logs, "app.log.5.gz")} --json`;
    const command = `${ship} --service archive --otlp-url ${collector.otlpUrl}`;
    const [first, second] = [await runCommand(command), await runCommand(command)];
    expect(second).toEqual(first);
    const archived = Number(JSON.parse(first.stdout).acknowledged);
    expect(archived).toBeGreaterThan(3000);
    // What is sent last is stored last: by then a doubled line would be there.
    const url = collector.otlpUrl;
    await runCommand(`echo the end | node collector/bin/clew.js ship --otlp-url ${url}`);
    await vi.waitFor(async () => {
      const records = await collector.api.logs();
      expect(records.map(({ message }) => message)).toContain("the end");
      expect(records.filter(({ service }) => service === "archive")).toHaveLength(archived);
      expect(records).toHaveLength(lines + archived + 1);
    }, STORED_DEADLINE);
  },
  TEST_DEADLINE_MS,
);
