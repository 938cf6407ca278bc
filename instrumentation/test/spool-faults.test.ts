import { execFileSync } from "node:child_process";
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App, runApp } from "./app-process.ts";
import { OtlpSink } from "./otlp-sink.ts";
import { textsOnDisk } from "./spool-records.ts";

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;
const SMALL_DISK_BYTES = 1024 * 1024;

let sink: OtlpSink;
let endpoint: string;
let folder: string;
let mounted: string | undefined;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
  folder = mkdtempSync(join(tmpdir(), "clew-spool-faults-"));
});
afterEach(async () => {
  if (mounted !== undefined) execFileSync("umount", [mounted]);
  mounted = undefined;
  await sink.stop();
  rmSync(folder, { recursive: true, force: true });
});

const LINES = `
  import pino from "pino";
  const log = pino();
  const write = (from, to) => { for (let i = from; i < to; i++) log.info({ i }, "a-line"); };
`;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const arrived = () => {
  const all = sink.logs.map((log) => log.attributes.i).filter((i) => i !== undefined);
  return [...new Set(all as number[])].sort((a, b) => a - b);
};
const warnings = (stderr: string) => stderr.match(/^clew: cannot keep records on disk.*$/gm) ?? [];

/** How the spool directory is spoilt, and what the operator is told. */
const FAULTS: [string, (path: string) => string, RegExp][] = [
  ["a symbolic link to a directory", linked, /is a symbolic link/],
  ["a file", withFile, /ENOTDIR|EEXIST|is not a directory/],
  ["below a file", (path) => join(withFile(path), "spool"), /ENOTDIR/],
  ["where nothing can be made", () => "/proc/clew-spool", /ENOENT|EACCES|EROFS|EPERM/],
];

function linked(path: string): string {
  mkdirSync(`${path}-target`);
  symlinkSync(`${path}-target`, path);
  return path;
}

function withFile(path: string): string {
  writeFileSync(path, "");
  return path;
}

test.each(FAULTS)("scenario 15: %s: told once, and the service runs on", async (_, spoil, why) => {
  const spool = spoil(join(folder, "spool"));
  const code = `${LINES} write(0, 50); setTimeout(() => write(50, 100), 500);`;
  const end = await runApp({ code, endpoint, env: { CLEW_SPOOL_DIR: spool } });
  expect(end.code).toBe(0);
  expect(arrived()).toEqual(numbers(100));
  expect(warnings(end.stderr)).toHaveLength(1);
  expect(warnings(end.stderr)[0]).toMatch(why);
  if (lstatSync(join(folder, "spool"), { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    expect(readdirSync(join(folder, "spool-target"))).toEqual([]);
  }
});

test.skipIf(!IS_ROOT)("scenario 15: a directory of another user is not trusted", async () => {
  const spool = join(folder, "spool");
  mkdirSync(spool);
  chownSync(spool, NOBODY, NOBODY);
  const code = `${LINES} write(0, 100);`;
  const end = await runApp({ code, endpoint, env: { CLEW_SPOOL_DIR: spool } });
  expect(arrived()).toEqual(numbers(100));
  expect(warnings(end.stderr)).toEqual([expect.stringContaining("belongs to another user")]);
  expect(readdirSync(spool)).toEqual([]);
});

test.skipIf(!IS_ROOT)("scenario 15: a read-only file system", async () => {
  mount(["-o", "size=1m,ro"]);
  const code = `${LINES} write(0, 100);`;
  const end = await runApp({ code, endpoint, env: { CLEW_SPOOL_DIR: join(folder, "spool") } });
  expect(arrived()).toEqual(numbers(100));
  expect(warnings(end.stderr)).toEqual([expect.stringContaining("EROFS")]);
});

test.skipIf(!IS_ROOT)(
  "scenario 15: a full disk: what does not fit waits in memory, and all arrives",
  async () => {
    mount(["-o", `size=${SMALL_DISK_BYTES}`]);
    const { port } = sink;
    await sink.stop();
    const code = `${LINES}
      const text = "x".repeat(1000);
      for (let i = 0; i < 5000; i++) log.info({ i, text }, "a-line");
      process.stdin.once("data", () => process.exit());
      const wait = setInterval(() => 0, 1000);`;
    const app = new App({ code, endpoint, env: { CLEW_SPOOL_DIR: join(folder, "spool") } });
    try {
      await vi.waitFor(
        () => expect(textsOnDisk(join(folder, "spool"), "a-line")).toBeGreaterThan(0),
        20_000,
      );
      sink = new OtlpSink();
      await sink.start(port);
      await vi.waitFor(() => expect(arrived()).toEqual(numbers(5000)), 40_000);
    } finally {
      app.child.stdin?.write("end");
    }
    const end = await app.ended;
    expect(end.code).toBe(0);
    expect(warnings(end.stderr)).toHaveLength(1);
    expect(warnings(end.stderr)[0]).toMatch(/ENOSPC|only a part/);
  },
);

test.skipIf(!IS_ROOT)("once there is room again, records go to disk again", async () => {
  mount(["-o", `size=${SMALL_DISK_BYTES}`]);
  const filler = join(folder, "filler");
  execFileSync("sh", ["-c", `head -c ${2 * SMALL_DISK_BYTES} /dev/zero > ${filler} || true`]);
  const spool = join(folder, "spool");
  const code = `${LINES} let i = 0; setInterval(() => write(i, ++i), 100);`;
  const app = new App({ code, endpoint: "http://127.0.0.1:1", env: { CLEW_SPOOL_DIR: spool } });
  try {
    const told = Promise.withResolvers<void>();
    app.child.stderr?.on("data", (chunk: Buffer) => {
      if (chunk.includes("cannot keep records on disk")) told.resolve();
    });
    await told.promise;
    rmSync(filler);
    await vi.waitFor(() => expect(textsOnDisk(spool, "a-line")).toBeGreaterThan(5), 30_000);
  } finally {
    app.child.kill("SIGKILL");
  }
  await app.ended;
});

/** A file system of its own at the folder, until the test is over. */
function mount(options: readonly string[]): void {
  execFileSync("mount", ["-t", "tmpfs", ...options, "tmpfs", folder]);
  mounted = folder;
}
