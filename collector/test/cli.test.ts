/** The command line end to end: real processes, real ports, real files. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { VARIABLE } from "../src/config.ts";

const FREE_PORTS = Object.fromEntries(
  [VARIABLE.port, VARIABLE.otlpHttpPort, VARIABLE.otlpGrpcPort, VARIABLE.jaegerPort].map((name) => [
    name,
    "0",
  ]),
);
const CLEW = join(import.meta.dirname, "..", "bin", "clew.js");
const WAIT = { timeout: 20_000, interval: 25 };

type Environment = Record<string, string>;

interface Process {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exit: Promise<number | null>;
}

interface Served extends Process {
  readonly port: number;
  readonly otlpHttpPort: number;
  readonly otlpGrpcPort: number;
  /** For commands that talk to it. */
  readonly env: Environment;
}

const started: ChildProcess[] = [];
const folders: string[] = [];

function start(args: readonly string[], env: Environment, input?: string): Process {
  const child = spawn(process.execPath, [CLEW, ...args], { env, stdio: "pipe" });
  started.push(child);
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  if (input !== undefined) child.stdin.end(input);
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, output, exit };
}

async function run(args: readonly string[], env: Environment, input = "") {
  const { output, exit } = start(args, env, input);
  return { code: await exit, ...output };
}

async function serve(dataDir: string, env: Environment = {}): Promise<Served> {
  const all = { ...FREE_PORTS, [VARIABLE.dataDir]: dataDir, ...env };
  const running = start(["serve", "--json"], all);
  await vi.waitFor(
    () => expect(running.output.stdout, running.output.stderr).toContain("\n"),
    WAIT,
  );
  const [line = ""] = running.output.stdout.split("\n");
  expect(line).toMatch(/^\{"event":"ready",/);
  const { port, otlpHttpPort, otlpGrpcPort } = JSON.parse(line);
  const own = { [VARIABLE.port]: `${port}`, [VARIABLE.otlpHttpPort]: `${otlpHttpPort}` };
  return { ...running, port, otlpHttpPort, otlpGrpcPort, env: { ...env, ...own } };
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "clew-cli-"));
  folders.push(dir);
  return dir;
}

async function stop(served: Process, signal: NodeJS.Signals = "SIGINT"): Promise<void> {
  served.child.kill(signal);
  expect(await served.exit, served.output.stderr).toBe(0);
}

afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
  for (const dir of folders) rmSync(dir, { recursive: true, force: true });
});

/** Waits until every record that was acknowledged can be found. */
async function findLogs(env: Environment, query: string, count: number) {
  return vi.waitFor(async () => {
    const result = await run(["logs", query, "--json", "--limit", "1000"], env);
    const records = result.stdout.split("\n").filter(Boolean);
    expect(records, result.stderr).toHaveLength(count);
    return records.map((line) => JSON.parse(line));
  }, WAIT);
}

describe("with a collector", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(folder());
  });
  afterAll(() => stop(served, "SIGTERM"));

  test("lines from stdin are shipped, found as a transaction, and searched", async () => {
    const transaction_id = "cli-1";
    const orders = { transaction_id, service: "orders" };
    const payments = { transaction_id, service: "payments" };
    const lines = [
      JSON.stringify({ level: 30, time: 1769860800000, msg: "order taken", ...orders }),
      JSON.stringify({ level: 50, time: 1769860800250, msg: "declined \u001b[2J", ...payments }),
      "2026-01-31T12:00:01Z WARN shipping is late transaction_id=cli-1",
    ];
    const shipped = await run(["ship"], served.env, lines.join("\n"));
    expect(shipped).toMatchObject({ code: 0, stderr: "3 records acknowledged\n" });
    await findLogs(served.env, "order taken", 1);
    const found = await run(["find", "cli-1"], served.env);
    expect(found.code).toBe(0);
    expect(found.stdout).toMatch(/services +.*orders, payments/);
    expect(found.stdout).toContain("verdict   unknown: orders does not say how many records it");
    expect(found.stdout).toMatch(/\+250 ms +payments +✗ERROR declined \\x1b\[2J/);
    expect(found.stdout).not.toContain("\u001b");
    const json = JSON.parse((await run(["find", "cli-1", "--json"], served.env)).stdout);
    expect(json).toMatchObject({ transactionId: "cli-1", verdict: "unknown", counts: { logs: 3 } });
    expect(json.records).toHaveLength(3);
    const errors = await run(["logs", "--severity", "error", "--service", "payments"], served.env);
    expect(errors.stdout).toMatch(/ payments ERROR declined .*\(cli-1\)\n$/);
  });

  test("files are shipped, each line once, also what no JSON parser takes", async () => {
    const file = join(folder(), "app.log");
    const bodies = Array.from({ length: 2500 }, (_, i) => `shipped-file line ${i}`);
    const hostile = ["", "{broken shipped-file", "\u0000\u0007 shipped-file", "[] shipped-file"];
    writeFileSync(
      file,
      Buffer.from([...bodies, ...hostile, "no end shipped-file \udcff"].join("\n")),
    );
    const shipped = await run(["ship", file, "--service", "filer", "--json"], served.env);
    expect(shipped.code).toBe(0);
    const summary = { acknowledged: 2504, refused: 0, unsent: 0, interrupted: false };
    expect(JSON.parse(shipped.stdout)).toEqual(summary);
    await vi.waitFor(async () => {
      const url = `http://127.0.0.1:${served.port}/api/v1/services`;
      const { services } = (await (await fetch(url)).json()) as {
        services: { service: string; logs: number }[];
      };
      expect(services.find((item) => item.service === "filer")?.logs).toBe(2504);
    }, WAIT);
  });

  test("--transaction-key names where the ID is", async () => {
    const line =
      '{"msg":"keyed line","order":{"number":"cli-key-1"}}\nkeyed order.number=cli-key-1';
    const args = ["ship", "--transaction-key", "order.number"];
    expect((await run(args, served.env, line)).code).toBe(0);
    await findLogs(served.env, "keyed", 2);
    const { stdout } = await run(["find", "cli-key-1", "--json"], served.env);
    expect(JSON.parse(stdout).counts.logs).toBe(2);
  });

  test("spans become hops", async () => {
    const traceId = "0123456789abcdef0123456789abcdef";
    const span = (own: object, service: string) => ({
      resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
      scopeSpans: [{ spans: [{ traceId, ...own }] }],
    });
    const attributes = [
      { key: "clew.transaction.id", value: { stringValue: "cli-hops" } },
      { key: "http.request.method", value: { stringValue: "POST" } },
      { key: "http.route", value: { stringValue: "/charge" } },
    ];
    const times = {
      startTimeUnixNano: "1769860800000000000",
      endTimeUnixNano: "1769860800042000000",
    };
    const resourceSpans = [
      span({ spanId: "000000000000000a", name: "POST", kind: 3, attributes, ...times }, "orders"),
      span(
        {
          spanId: "000000000000000b",
          parentSpanId: "000000000000000a",
          name: "POST /charge",
          kind: 2,
          attributes,
          status: { code: 2, message: "card declined" },
          ...times,
        },
        "payments",
      ),
    ];
    const response = await fetch(`http://127.0.0.1:${served.otlpHttpPort}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ resourceSpans }),
    });
    expect(response.status).toBe(200);
    await vi.waitFor(async () => {
      const { stdout } = await run(["find", "cli-hops"], served.env);
      expect(stdout).toContain("✗ orders → payments  POST /charge  42 ms");
      expect(stdout).toContain("card declined");
    }, WAIT);
  });

  test("logs are followed until Ctrl-C", async () => {
    const following = start(["logs", "followed", "--follow", "--json"], served.env);
    const shipping = start(["ship", "--service", "live"], served.env);
    await vi.waitFor(() => {
      shipping.child.stdin?.write("followed line\n");
      expect(following.output.stdout, following.output.stderr).toContain("followed line");
    }, WAIT);
    following.child.kill("SIGINT");
    expect(await following.exit).toBe(0);
    shipping.child.stdin?.end();
    expect(await shipping.exit).toBe(0);
  });

  test("nothing found is exit code 1, and one line", async () => {
    const found = await run(["find", "no-such-transaction"], served.env);
    expect(found).toMatchObject({ code: 1, stdout: "" });
    expect(found.stderr).toMatch(/^cannot find transaction no-such-transaction: .+\n$/);
    expect((await run(["logs", "nosuchword"], served.env)).code).toBe(1);
  });

  test("what the collector refuses is told in its own words", async () => {
    const result = await run(["logs", "--severity", "loud"], served.env);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("cannot use severity=loud: allowed is trace, debug");
  });

  test("a reader that goes away is no failure", async () => {
    const lines = Array.from({ length: 900 }, (_, i) => `piped line ${i} ${"x".repeat(200)}`);
    await run(["ship"], served.env, lines.join("\n"));
    await findLogs(served.env, "piped", 900);
    const reading = start(["logs", "piped", "--limit", "1000"], served.env);
    reading.child.stdout?.once("data", () => reading.child.stdout?.destroy());
    expect(await reading.exit).toBe(0);
    expect(reading.output.stderr).toBe("");
  });

  test("a port that is taken is one line with the variable, and exit code 1", async () => {
    for (const [variable, port] of [
      [VARIABLE.port, served.port],
      [VARIABLE.otlpHttpPort, served.otlpHttpPort],
      [VARIABLE.otlpGrpcPort, served.otlpGrpcPort],
    ] as const) {
      const env = { ...FREE_PORTS, [VARIABLE.dataDir]: folder(), [variable]: String(port) };
      const result = await run(["serve"], env);
      expect(result).toMatchObject({ code: 1, stdout: "" });
      expect(result.stderr).toMatch(new RegExp(`^cannot listen .*port ${port}.*${variable}.*\n$`));
    }
  });
});

test("data that another collector has open is one line, and exit code 1", async () => {
  const dataDir = folder();
  const served = await serve(dataDir);
  const env = { ...FREE_PORTS, [VARIABLE.dataDir]: dataDir };
  const result = await run(["serve"], env);
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
  await stop(served);
});

test("a second start on the same data goes on, for followers and shippers too", async () => {
  const dataDir = folder();
  const first = await serve(dataDir);
  await run(["ship"], first.env, "restart line 1");
  const following = start(["logs", "restart", "--follow", "--since", "1h"], first.env);
  await vi.waitFor(() => expect(following.output.stdout).toContain("restart line 1"), WAIT);
  await stop(first);
  const shipping = start(["ship"], first.env, "restart line 2\nrestart line 3");
  await vi.waitFor(() => expect(shipping.output.stderr).toContain("nothing is lost"), WAIT);
  const second = await serve(dataDir, first.env);
  expect(await shipping.exit).toBe(0);
  await findLogs(second.env, "restart", 3);
  await vi.waitFor(() => expect(following.output.stdout).toContain("restart line 3"), WAIT);
  expect(following.output.stdout.match(/restart line/g)).toHaveLength(3);
  following.child.kill("SIGINT");
  expect(await following.exit).toBe(0);
  await stop(second);
});

test("a request that never ends is waited for; a second Ctrl-C ends at once", async () => {
  const served = await serve(folder());
  const socket = connect(served.otlpHttpPort, "127.0.0.1");
  const head = "POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
  await new Promise((resolve) => socket.write(`${head}Content-Length: 9\r\n\r\n{`, resolve));
  await vi.waitFor(async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${served.port}/metrics`)).text();
    expect(metrics).toMatch(/in_flight_bytes [1-9]/);
  }, WAIT);
  socket.on("error", () => socket.destroy());
  served.child.kill("SIGINT");
  await vi.waitFor(() => expect(served.output.stdout).toContain('"event":"stopping"'), WAIT);
  served.child.kill("SIGINT");
  expect(await served.exit).toBe(130);
  socket.destroy();
});

test("tokens guard the collector, and the commands present them", async () => {
  const tokens = { [VARIABLE.queryTokens]: "query-token", [VARIABLE.ingestTokens]: "ingest-token" };
  const served = await serve(folder(), tokens);
  expect((await run(["ship"], served.env, "guarded line")).code).toBe(0);
  await findLogs(served.env, "guarded", 1);
  const { [VARIABLE.queryTokens]: _q, [VARIABLE.ingestTokens]: _i, ...without } = served.env;
  const refused = await run(["logs"], without);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`give its token in ${VARIABLE.queryTokens}`);
  const unsent = await run(["ship"], without, "not taken");
  expect(unsent.code).toBe(1);
  expect(unsent.stderr).toContain("1 not acknowledged");
  await stop(served);
  expect(served.output.stdout + served.output.stderr).not.toMatch(/query-token|ingest-token/);
});

describe("without a collector", () => {
  const closed: Environment = {};
  beforeAll(async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    closed[VARIABLE.port] = closed[VARIABLE.otlpHttpPort] = String(port);
  });

  test.each([[["find", "order-1"]], [["logs"]], [["logs", "--follow"]]])(
    "%j says in one line what to do",
    async (args) => {
      const result = await run(args, closed);
      expect(result).toMatchObject({ code: 1, stdout: "" });
      expect(result.stderr).toMatch(
        /^cannot ask the collector at .+: nothing listens there; .+\n$/,
      );
    },
  );

  test("ship waits, and gives up only when it is told to end", async () => {
    const shipping = start(["ship"], closed);
    shipping.child.stdin?.write("waiting line\n");
    await vi.waitFor(() => expect(shipping.output.stderr).toContain("trying again"), WAIT);
    shipping.child.kill("SIGINT");
    shipping.child.kill("SIGTERM");
    expect(await shipping.exit).toBe(130);
  });

  test.each([
    [[], 2],
    [["fnid", "x"], 2],
    [["find"], 2],
    [["find", "not an id"], 2],
    [["find", "a", "b"], 2],
    [["find", "a", "--limit", "0"], 2],
    [["logs", "--sevice", "x"], 2],
    [["logs", "--since", "yesterday"], 2],
    [["logs", "--follow", "--limit", "3"], 2],
    [["ship", "--otlp-url", "ftp://x"], 2],
    [["ship", "/no/such/file"], 1],
    [["ship", "/no/such/*.log"], 1],
    [["ship", "/"], 1],
    [["ship", "--follow"], 2],
    [["ship", "--follow", "-"], 2],
    [["ship", "--from-end", "x"], 2],
    [["ship", "--state-dir", "x", "x"], 2],
    [["ship", "--follow", "--from-end", "--from-start", "x"], 2],
    [["ship", "--multiline", "(", "x"], 2],
    [["ship", "--follow", "--state-dir", "/dev/null/x", "x"], 1],
    [["serve", "now"], 2],
    [["config", "--chekc"], 2],
  ])("%j is refused in one line, with exit code %i", async (args, code) => {
    const result = await run(args, closed);
    expect(result.code).toBe(code);
    if (args.length === 0) return expect(result.stdout).toContain("clew find");
    expect(result.stdout).toBe("");
    expect(result.stderr).toMatch(
      code === 2 ? /^cannot .+; see clew .*--help\n$/ : /^cannot .+\n$/,
    );
  });

  test.each(["serve", "find", "logs", "ship", "config"])(
    "%s --help has an example",
    async (name) => {
      const { code, stdout } = await run([name, "--help"], {});
      expect(code).toBe(0);
      expect(stdout).toMatch(/Example: .*clew/);
      for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    },
  );

  test("settings are shown without their secrets, and checked", async () => {
    const env = { [VARIABLE.queryTokens]: "secret-token", [VARIABLE.port]: "4711" };
    const shown = await run(["config"], env);
    expect(shown.stdout).toMatch(/^port +4711$/m);
    expect(shown.stdout).not.toContain("secret-token");
    expect(JSON.parse((await run(["config", "--json"], env)).stdout)).toMatchObject({ port: 4711 });
    expect(await run(["config", "--check"], env)).toEqual({ code: 0, stdout: "", stderr: "" });
    const wrong = await run(["config", "--check"], { [VARIABLE.port]: "http" });
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toMatch(new RegExp(`^${VARIABLE.port}=http: allowed is .+\n$`));
  });
});
