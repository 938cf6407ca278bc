import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Environment, VARIABLE } from "../config.ts";
import { freshDataDir, LaunchedStack } from "./launched-stack.ts";
import { QueryApi } from "./query-api.ts";
import { runCommand } from "./run-command.ts";

const toDispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const dispose of toDispose.splice(0).toReversed()) await dispose();
});

describe("npm start", () => {
  test("says where Clew is, and three commands that work; Ctrl-C leaves nothing", async () => {
    const stack = launch({ args: [] });
    const commands = await vi.waitFor(
      () => {
        const lines = stack.stdout.split("\n").filter((line) => line.includes("npx clew"));
        expect(lines, stack.stdout + stack.stderr).toHaveLength(3);
        return lines;
      },
      { timeout: 60_000 },
    );
    expect(stack.stdout).toMatch(/^Clew is at http:\/\/127\.0\.0\.1:\d+ and takes OTLP at /m);
    const [find, logs, follow] = commands as [string, string, string];
    expect(await runCommand(find)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("card declined"),
    });
    expect(await runCommand(logs)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("card declined"),
    });
    const followed = await runCommand(follow, { until: /parcel/ });
    expect(followed.stdout).toMatch(/parcel/);
    expect(stack.processes().length).toBeGreaterThanOrEqual(6);

    expect(await stack.interrupt()).toBe(true);
    expect(stack.processes()).toEqual([]);
    expect(stack.errorLines).toEqual([]);
  });

  test("a second Ctrl-C ends it at once, and leaves nothing", async () => {
    const stack = launch({ args: ["--json"] });
    const { pid } = await stack.waitFor("collector-ready");
    await stack.waitFor("demo-ready");
    // A collector that does not answer would keep the first Ctrl-C waiting.
    process.kill(Number(pid), "SIGSTOP");
    process.kill(-stack.pid, "SIGINT");
    await stack.waitFor("stopping");
    const again = setInterval(() => process.kill(-stack.pid, "SIGINT"), 200);
    toDispose.push(() => clearInterval(again));
    await stack.exited;
    clearInterval(again);
    expect(stack.events.some(({ event }) => event === "stopped")).toBe(false);
    await vi.waitFor(() => expect(stack.processes()).toEqual([]), { timeout: 10_000 });
  });

  test("a killed launcher takes its children with it", async () => {
    const stack = launch({ args: ["--json"] });
    await stack.waitFor("demo-ready");
    expect(stack.processes().length).toBeGreaterThanOrEqual(5);
    await stack.signal("SIGKILL");
    await vi.waitFor(() => expect(stack.processes()).toEqual([]), { timeout: 30_000 });
  });

  test("--no-demo is just the collector", async () => {
    const stack = launch({ args: ["--no-demo", "--json"] });
    const { commands } = await stack.waitFor("try-this");
    const [ship, logs] = commands as [string, string];
    expect(await runCommand(ship)).toMatchObject({ code: 0 });
    await vi.waitFor(async () => {
      const found = await runCommand(logs);
      expect(found).toMatchObject({ code: 0, stdout: expect.stringContaining("hello clew") });
    }, 30_000);
    expect(stack.events.some(({ event }) => event === "demo-ready")).toBe(false);
    expect(await stack.interrupt()).toBe(true);
    expect(stack.processes()).toEqual([]);
  });

  test("started again on the same data, it finds the transactions of before", async () => {
    const dataDir = freshDataDir();
    toDispose.push(dataDir.dispose);
    const first = launch({ args: ["--json", "--no-load"], dataDir: dataDir.path });
    const { ordersPort } = await first.waitFor("demo-ready");
    await order(Number(ordersPort), "before-the-end");
    expect(await first.interrupt()).toBe(true);

    const second = launch({ args: ["--json", "--no-demo"], dataDir: dataDir.path });
    const api = new QueryApi(Number((await second.waitFor("collector-ready")).port));
    await vi.waitFor(async () => {
      const transaction = await api.findTransaction("before-the-end");
      expect(transaction?.services.toSorted()).toEqual(["orders", "payments", "shipping"]);
      // The parcel is dispatched a while after the answer: the end waited for it.
      const messages = (await api.recordsOf("before-the-end")).map(({ message }) => message);
      expect(messages).toContainEqual(expect.stringMatching(/^parcel dispatched/));
    }, 30_000);
  });

  test("a collector that keeps dying is started again a few times, then that is said", async () => {
    const stack = launch({ args: ["--no-demo", "--json"] });
    const { port, pid } = await stack.waitFor("collector-ready");
    const restarted = () => stack.events.filter(({ event }) => event === "collector-restarted");
    process.kill(Number(pid), "SIGKILL");
    for (let deaths = 1; deaths <= 5; deaths++) {
      const back = await vi.waitFor(() => {
        expect(restarted()).toHaveLength(deaths);
        return restarted()[deaths - 1];
      }, 30_000);
      expect(back?.port).toBe(port);
      process.kill(Number(back?.pid), "SIGKILL");
    }
    expect(await stack.exited).toBe(1);
    expect(stack.errorLines).toEqual([
      "cannot keep the collector running: it died 6 times (SIGKILL)",
    ]);
    expect(stack.processes()).toEqual([]);
  });

  test("a service that dies is said, and ends the whole", async () => {
    const stack = launch({ args: ["--json", "--no-load"] });
    const { pids } = await stack.waitFor("demo-ready");
    process.kill((pids as Record<string, number>).payments as number, "SIGKILL");
    expect(await stack.exited).toBe(1);
    expect(stack.errorLines).toEqual([
      expect.stringMatching(
        /^cannot keep the demo running: payments died \(SIGKILL\), see .+payments\.log$/,
      ),
    ]);
    expect(stack.processes()).toEqual([]);
  });
});

describe("npm start refuses in one line", () => {
  test.each([
    ["webPort", []],
    ["otlpHttpPort", []],
    ["otlpGrpcPort", []],
    ["jaegerPort", []],
    ["ordersPort", []],
    ["shippingPort", []],
  ] as const)("a taken port (%s)", async (variable, args) => {
    const taken = await takePort();
    const name = VARIABLE[variable];
    const stack = launch({ args, env: { [name]: String(taken) } });
    expect(await stack.exited).toBe(1);
    const lines = stack.errorLines;
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(String(taken));
    expect(lines[0]).toContain(name);
    expect(stack.processes()).toEqual([]);
  });

  test("a second start beside the first", async () => {
    const [webPort, otlpHttpPort] = [await unusedPort(), await unusedPort()].map(String);
    const env = { [VARIABLE.webPort]: webPort, [VARIABLE.otlpHttpPort]: otlpHttpPort };
    const dataDir = freshDataDir();
    toDispose.push(dataDir.dispose);
    const first = launch({ args: ["--no-demo", "--json"], dataDir: dataDir.path, env });
    await first.waitFor("collector-ready");
    const second = launch({ args: ["--no-demo"], dataDir: dataDir.path, env });
    expect(await second.exited).toBe(1);
    expect(second.errorLines).toHaveLength(1);
    expect(second.errorLines[0]).toMatch(/^cannot /);
    expect(await first.interrupt()).toBe(true);
  });

  test.each([
    [["--no-dmeo"], {}, 2, "--no-dmeo"],
    [["now"], {}, 2, "now"],
    [[], { [VARIABLE.webPort]: "http" }, 1, `${VARIABLE.webPort}=http`],
    [[], { [VARIABLE.ordersPort]: "-1" }, 1, `${VARIABLE.ordersPort}=-1`],
  ])("%j with %j", async (args, env, code, reason) => {
    const stack = launch({ args, env });
    expect(await stack.exited).toBe(code);
    const lines = stack.errorLines;
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(reason);
    expect(stack.processes()).toEqual([]);
  });

  test("--help tells every option and ends", async () => {
    const stack = launch({ args: ["--help"] });
    expect(await stack.exited).toBe(0);
    for (const option of ["--no-demo", "--no-load", "--kafka", "--json", "--help"]) {
      expect(stack.stdout).toContain(option);
    }
  });
});

function launch(request: {
  args: readonly string[];
  env?: Environment;
  dataDir?: string;
}): LaunchedStack {
  const own = request.dataDir === undefined ? freshDataDir() : undefined;
  if (own) toDispose.push(own.dispose);
  const dataDir = request.dataDir ?? own?.path ?? "";
  const stack = new LaunchedStack({ args: request.args, dataDir, env: request.env ?? {} });
  toDispose.push(() => stack.dispose());
  return stack;
}

async function order(port: number, transactionId: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-transaction-id": transactionId },
    body: JSON.stringify({ customer: "me", item: "lamp", amountCents: 100, card: "4242" }),
    signal: AbortSignal.timeout(10_000),
  });
  expect(response.status).toBe(201);
  expect(response.headers.get("x-transaction-id")).toBe(transactionId);
}

async function takePort(): Promise<number> {
  const server = await listen();
  toDispose.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function unusedPort(): Promise<number> {
  const server = await listen();
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
