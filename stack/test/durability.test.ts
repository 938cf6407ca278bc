import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "vitest";
import { hasPrograms } from "../backends/required-programs.ts";
import { readLaunchConfig, VARIABLE } from "../config.ts";
import { freshDataDir, REPOSITORY } from "./launched-stack.ts";
import { checkSyncOrder, type SyncOrder } from "./sync-order.ts";

const REQUESTS = 20;
const STRACE = { command: ["strace", "-V"], toInstall: "strace" } as const;
const TRACED = "fdatasync,fsync,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg";
const COLLECTOR = [join(REPOSITORY, "collector", "bin", "clew.js"), "serve", "--json"];
const UNSYNCED = [join(import.meta.dirname, "unsynced-collector.ts")];

const toDispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const dispose of toDispose.splice(0).toReversed()) await dispose();
});

describe.skipIf(!hasPrograms("fdatasync before each 200, under strace", [STRACE]))("a 200", () => {
  test("leaves only after the request was synced", async () => {
    expect(await trace(COLLECTOR)).toEqual({ acknowledged: REQUESTS, violations: [] });
  });

  test("leaves too early where syncing is off, and the check sees it", async () => {
    const { acknowledged, violations } = await trace(UNSYNCED);
    expect(acknowledged).toBe(REQUESTS);
    expect(violations).toEqual(markers().map((marker) => `${marker} was not synced before`));
  });
});

describe("the check itself", () => {
  const WRITE = '7 writev(9</d/bus/0.segment>, [{iov_base="m-1"}], 1) = 3';
  const SYNC = "7 fdatasync(9</d/bus/0.segment>) = 0";
  const ANSWER = '1 write(5<TCP:[1->2]>, "HTTP/1.1 200 OK", 15) = 15';
  const TOO_EARLY = ["m-1 was not synced before"];

  test.each([
    ["in order", [WRITE, SYNC, ANSWER], []],
    ["no sync", [WRITE, ANSWER], TOO_EARLY],
    ["sync before the write", [SYNC, WRITE, ANSWER], TOO_EARLY],
    ["sync after the answer", [WRITE, ANSWER, SYNC], TOO_EARLY],
    ["sync of another file", [WRITE, SYNC.replace("0.seg", "1.seg"), ANSWER], TOO_EARLY],
    ["a sync that failed", [WRITE, SYNC.replace("= 0", "= -1 EIO (…)"), ANSWER], TOO_EARLY],
    ["a write elsewhere", [WRITE.replace("/bus/", "/store/"), SYNC, ANSWER], TOO_EARLY],
    [
      "a sync that has not ended",
      [WRITE, "7 fdatasync(9</d/bus/0.segment> <unfinished ...>", ANSWER],
      TOO_EARLY,
    ],
    [
      "a sync that ended meanwhile",
      [
        WRITE,
        "7 fdatasync(9</d/bus/0.segment> <unfinished ...>",
        "7 <... fdatasync resumed>) = 0",
        ANSWER,
      ],
      [],
    ],
    [
      "a write that ended only after the sync began",
      [
        WRITE.replace(") = 3", " <unfinished ...>"),
        "8 fdatasync(9</d/bus/0.segment> <unfinished ...>",
        "7 <... writev resumed>) = 3",
        "8 <... fdatasync resumed>) = 0",
        ANSWER,
      ],
      TOO_EARLY,
    ],
  ])("%s", (_, lines, violations) => {
    const trace = lines.join("\n");
    expect(checkSyncOrder({ trace, busFolder: "/d/bus", markers: ["m-1"] })).toEqual({
      acknowledged: 1,
      violations,
    });
  });
});

function markers(): readonly string[] {
  return Array.from({ length: REQUESTS }, (_, i) => `marker-${String(i).padStart(3, "0")}`);
}

/** Runs it under strace, sends one request after the other, ends it, and reads what was seen. */
async function trace(program: readonly string[]): Promise<SyncOrder> {
  const dataDir = freshDataDir();
  toDispose.push(dataDir.dispose);
  const traceFile = join(dataDir.path, "strace.txt");
  const options = ["-f", "-yy", "-s", "4096", "-e", `trace=${TRACED}`, "-e", "signal=none"];
  const strace = spawn("strace", [...options, "-o", traceFile, process.execPath, ...program], {
    env: {
      ...readLaunchConfig().inherited,
      [VARIABLE.dataDir]: dataDir.path,
      [VARIABLE.webPort]: "0",
      [VARIABLE.otlpHttpPort]: "0",
      [VARIABLE.otlpGrpcPort]: "0",
      [VARIABLE.jaegerPort]: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(strace, "close");
  toDispose.push(() => strace.exitCode === null && strace.kill("SIGKILL"));
  const port = await readyPort(strace);
  for (const marker of markers()) await sendLog(port, marker);
  // strace holds back signals for itself while its program lives; the program is told directly.
  process.kill(tracedPid(traceFile), "SIGTERM");
  await exited;
  const text = readFileSync(traceFile, "utf8");
  return checkSyncOrder({
    trace: text,
    busFolder: join(dataDir.path, "bus"),
    markers: markers(),
  });
}

async function readyPort({ stdout }: ChildProcess): Promise<number> {
  if (!stdout) throw new Error("cannot read what strace's program writes: no pipe");
  for await (const line of createInterface({ input: stdout })) {
    const event = JSON.parse(line);
    if (event.event === "ready") {
      stdout.resume();
      return event.otlpHttpPort;
    }
  }
  throw new Error("cannot trace: the program ended before it was ready");
}

/** The program's first thread is the first that strace saw. */
function tracedPid(traceFile: string): number {
  return Number(readFileSync(traceFile, "utf8").split(" ", 1)[0]);
}

async function sendLog(port: number, marker: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: marker } }] }] }],
    }),
    signal: AbortSignal.timeout(10_000),
  });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
}
