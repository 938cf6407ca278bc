import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OtlpSink } from "./otlp-sink.ts";

const run = promisify(execFile);
const PACKAGE = resolve(import.meta.dirname, "..");
const MODULES = resolve(PACKAGE, "../node_modules");
const REGISTER = "@clew/instrumentation/register";
const CONDITION = { timeout: 20_000 };

let sink: OtlpSink;
let folder: string;

beforeEach(async () => {
  sink = new OtlpSink();
  await sink.start();
  folder = await mkdtemp(join(tmpdir(), "clew-loading-"));
  await symlink(MODULES, join(folder, "node_modules"));
});
afterEach(async () => {
  await sink.stop();
  await rm(folder, { recursive: true, force: true });
});

function environment(): Record<string, string> {
  return {
    OTEL_SERVICE_NAME: "loaded",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sink.port}`,
    CLEW_METRICS_PORT: "off",
    CLEW_SPOOL_DIR: join(folder, "spool"),
  };
}

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Node in the folder; a program that fails rejects with what it wrote. */
function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return run(process.execPath, [...args], { cwd: folder, env: { ...environment(), ...env } });
}

async function write(name: string, code: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, code);
  return path;
}

/** A request in, one out and a line: what each way of loading must give alike. */
const BODY = `
  const server = http.createServer((req, res) => {
    if (req.url === "/told") { res.end(req.headers["x-transaction-id"]); return; }
    console.log("a line inside");
    fetch("http://127.0.0.1:" + server.address().port + "/told")
      .then((answer) => answer.text()).then((told) => res.end(told));
  });
  server.listen(0, "127.0.0.1", () => {
    const headers = { "x-transaction-id": "T-1" };
    fetch("http://127.0.0.1:" + server.address().port, { headers }).then(async (answer) => {
      console.log("told " + (await answer.text()) + " " + answer.headers.get("x-transaction-id"));
      console.log("faults " + JSON.stringify(instrumentationStats().faults));
      server.close();
      server.closeAllConnections();
    });
  });
`;
const MODULE = `
  import http from "node:http";
  import { instrumentationStats } from "@clew/instrumentation";
  ${BODY}`;
const COMMON_JS = `
  const http = require("node:http");
  const { instrumentationStats } = require("@clew/instrumentation");
  ${BODY}`;

function expectWhole({ stdout, stderr }: Ran): void {
  expect(stderr).toBe("");
  expect(stdout).toBe("a line inside\ntold T-1 T-1\nfaults {}\n");
  const inside = sink.logs.filter(({ body }) => body === "a line inside");
  expect(inside.map(({ attributes }) => attributes["clew.transaction.id"])).toEqual(["T-1"]);
  expect(sink.spans.filter(({ kind }) => kind === 2)).toHaveLength(2);
  expect(sink.spans.filter(({ kind }) => kind === 3)).toHaveLength(2);
}

test.each<readonly [string, string, string, readonly string[], Record<string, string>]>([
  ["--import", "a.mjs", MODULE, ["--import", REGISTER], {}],
  ["--import before CommonJS", "a.cjs", COMMON_JS, ["--import", REGISTER], {}],
  ["--require", "a.cjs", COMMON_JS, ["--require", REGISTER], {}],
  ["import as the first line", "a.mjs", `import "${REGISTER}";${MODULE}`, [], {}],
  ["require as the first line", "a.cjs", `require("${REGISTER}");${COMMON_JS}`, [], {}],
  ["NODE_OPTIONS", "a.mjs", MODULE, [], { NODE_OPTIONS: `--import=${REGISTER}` }],
  ["--enable-source-maps", "a.mjs", MODULE, ["--enable-source-maps", "--import", REGISTER], {}],
  [
    "no code from strings",
    "a.mjs",
    MODULE,
    ["--disallow-code-generation-from-strings", "--import", REGISTER],
    {},
  ],
  [
    "the permission model",
    "a.mjs",
    MODULE,
    [
      ...["--permission", "--allow-fs-read=*", "--allow-fs-write=*", "--allow-worker"],
      ...["--disable-warning=SecurityWarning", "--import", REGISTER],
    ],
    {},
  ],
])("loaded by %s, everything is instrumented", async (_way, file, code, args, env) => {
  await write(file, code);
  expectWhole(await node([...args, file], env));
});

test("without the permission to write or to start threads, the service runs on", async () => {
  await write("a.mjs", MODULE);
  const permitted = ["--permission", "--allow-fs-read=*"];
  const { stdout } = await node([...permitted, "--import", REGISTER, "a.mjs"]);
  expect(stdout).toMatch(/^a line inside\ntold T-1 T-1\n/);
});

test("node --test: the lines of a test arrive, and the result is as without us", async () => {
  await write(
    "a.test.mjs",
    `import { test } from "node:test";
     import assert from "node:assert";
     import { transaction } from "@clew/instrumentation";
     test("passes", () => transaction.run("T-1", () => console.log("from a test")));
     test("fails", () => assert.equal(transaction.id(), "none"));`,
  );
  const ran = node(["--import", REGISTER, "--test", "--test-reporter=tap", "a.test.mjs"]);
  const { code, stdout } = await ran.catch((error) => error);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^# pass 1$/m);
  expect(stdout).toMatch(/^# fail 1$/m);
  const lines = sink.logs.filter(({ body }) => body === "from a test");
  expect(lines.map(({ attributes }) => attributes["clew.transaction.id"])).toEqual(["T-1"]);
});

test("a worker thread is a run of its own, with its own gapless numbers", async () => {
  await write(
    "a.mjs",
    `import { Worker, isMainThread } from "node:worker_threads";
     import { transaction } from "@clew/instrumentation";
     const who = isMainThread ? "main" : "worker";
     for (let n = 1; n <= 3; n++) transaction.run("T-" + n, () => console.log(who, n));
     if (isMainThread) new Worker(new URL(import.meta.url));`,
  );
  await node(["--import", REGISTER, "a.mjs"]);
  for (const who of ["main", "worker"]) {
    const logs = sink.logs.filter(({ body }) => String(body).startsWith(who));
    expect(logs.map(({ body }) => body)).toEqual([`${who} 1`, `${who} 2`, `${who} 3`]);
    expect(new Set(logs.map(({ resource }) => resource["clew.run.id"])).size).toBe(1);
  }
  const made = sink.logs.filter(({ body }) => /^(main|worker) /.test(String(body)));
  const runs = Map.groupBy(made, ({ resource }) => resource["clew.run.id"]);
  expect([...runs.values()].map((logs) => logs.length)).toEqual([3, 3]);
  for (const [runId, logs] of runs) {
    const uids = logs.map(({ attributes }) => attributes["log.record.uid"]);
    expect(uids).toEqual([`${runId}-1`, `${runId}-2`, `${runId}-3`]);
  }
});

test("two copies of the package in one process: each record once, one context", async () => {
  await cp(join(PACKAGE, "src"), join(folder, "copy", "src"), { recursive: true });
  await cp(join(PACKAGE, "package.json"), join(folder, "copy", "package.json"));
  await symlink(MODULES, join(folder, "copy", "node_modules"));
  await write("a.mjs", `import "./copy/src/register.ts"; import "${REGISTER}"; ${MODULE}`);
  expectWhole(await node(["a.mjs"]));
  await write(
    "b.mjs",
    `import { transaction as first } from "@clew/instrumentation";
     import { transaction as second } from "./copy/src/index.ts";
     first.run("T-2", () => process.stdout.write(second.id() + " "));
     second.run("T-3", () => process.stdout.write(first.id() + "\\n"));`,
  );
  expect((await node(["b.mjs"])).stdout).toBe("T-2 T-3\n");
});

test("node --watch starts the service anew as a run of its own, and leaves nothing", async () => {
  const file = await write(
    "a.mjs",
    'console.log("started", process.pid); process.stdin.resume(); setInterval(() => 0, 60_000);',
  );
  const watcher: ChildProcess = spawn(
    process.execPath,
    ["--import", REGISTER, "--watch", "a.mjs"],
    {
      cwd: folder,
      env: environment(),
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const started = () => sink.logs.filter(({ body }) => String(body).startsWith("started"));
  try {
    await vi.waitFor(() => expect(started()).toHaveLength(1), CONDITION);
    // Seldom enough for a start to be over before the next change.
    await vi.waitFor(
      async () => {
        await utimes(file, new Date(), new Date());
        await vi.waitFor(() => expect(started().length).toBeGreaterThan(1), { timeout: 3000 });
      },
      { ...CONDITION, interval: 100 },
    );
  } finally {
    watcher.kill("SIGTERM");
    await once(watcher, "exit");
  }
  const runs = new Set(started().map(({ resource }) => resource["clew.run.id"]));
  expect(runs.size).toBe(started().length);
  for (const { body } of started()) {
    const pid = Number(String(body).split(" ")[1]);
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), CONDITION);
  }
});
