/** Sagas end to end: services as users run them, and a collector in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { App } from "../../instrumentation/test/app-process.ts";
import { RealCollector } from "./real-collector.ts";

const INDEXED = { timeout: 30_000, interval: 100 };
const TEST_MS = 120_000;
const CLEW = join(import.meta.dirname, "../../collector/bin/clew.js");

interface Work {
  readonly service: string;
  readonly status: string;
  readonly error: string | null;
}
interface Step extends Work {
  readonly name: string;
  readonly durationMs: number | null;
  readonly compensation: Work | null;
}
interface Saga {
  readonly transactionId: string;
  readonly status: string;
  readonly deadlineAt: string | null;
  readonly isLate: boolean;
  readonly services: readonly string[];
  readonly steps: readonly Step[];
}
interface Target {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

let collector: RealCollector;
let spoolDir: string;
const apps: App[] = [];

beforeAll(async () => {
  collector = await RealCollector.start();
  spoolDir = mkdtempSync(join(tmpdir(), "clew-saga-spool-"));
}, TEST_MS);

afterEach(async () => {
  await Promise.all(apps.splice(0).map(end));
});

afterAll(async () => {
  await collector?.stop();
  rmSync(spoolDir, { recursive: true, force: true });
});

test("scenario 19: a saga over three services, its compensation and its end", {
  timeout: TEST_MS,
}, async () => {
  const stock = await startService("stock", {
    "/reserve": `await transaction.step("reserve-stock", () => settled(10))`,
    "/release": `await transaction.compensate("reserve-stock", () => settled(10))`,
  });
  const payments = await startService("payments", {
    "/charge": `await transaction.step("charge-card", async () => {
      throw markExpected(new Error("card declined"));
    })`,
  });
  const orders = await startService("orders", {
    "/": `
      transaction.deadline(60_000);
      transaction.step("order-accepted");
      await post(${JSON.stringify(stock.url)} + "/reserve");
      const charged = await post(${JSON.stringify(payments.url)} + "/charge");
      if (charged.status !== 200) await post(${JSON.stringify(stock.url)} + "/release");
      transaction.compensated("order-accepted");
      transaction.compensated();`,
  });
  await post(orders.url, "saga-1");
  const saga = await vi.waitFor(async () => {
    const found = await findSaga("saga-1");
    expect(found.status).toBe("compensated");
    expect(found.steps).toHaveLength(3);
    expect(found.steps.map(({ status }) => status)).not.toContain("running");
    return found;
  }, INDEXED);
  expect(saga.services).toEqual(["orders", "payments", "stock"]);
  expect(saga.steps).toMatchObject([
    { name: "order-accepted", service: "orders", status: "compensated", durationMs: 0 },
    {
      ...{ name: "reserve-stock", service: "stock", status: "compensated", error: null },
      compensation: { service: "stock", status: "done", error: null },
    },
    {
      ...{ name: "charge-card", service: "payments", status: "failed", error: "card declined" },
      compensation: null,
    },
  ]);
  expect(saga.steps[1]?.durationMs).toBeGreaterThan(5);
  expect(Date.parse(saga.deadlineAt ?? "")).toBeGreaterThan(Date.now());
  expect(saga.isLate).toBe(false);
  expect(await listed("compensated")).toContain("saga-1");
  expect(await listed("completed")).not.toContain("saga-1");
  const printed = await clew("find", "saga-1");
  expect(printed).toMatch(/status +compensated/);
  expect(printed).toMatch(/↺ stock {2}reserve-stock {2}done in .*; compensated/);
  expect(printed).toMatch(/✗ payments {2}charge-card {2}failed after .*\n +card declined/);
});

test("scenario 19: a time-out, whose service was killed with SIGKILL", {
  timeout: TEST_MS,
}, async () => {
  const shipping = await startService("shipping", {
    "/book": `
      res.end("taken");
      await transaction.step("book-courier", () => new Promise(() => undefined));`,
  });
  const orders = await startService("orders", {
    "/": `transaction.deadline(3_600_000); await post(${JSON.stringify(shipping.url)} + "/book");`,
    "/hurry": "transaction.deadline(1);",
  });
  await post(orders.url, "saga-2");
  await vi.waitFor(async () => {
    const found = await findSaga("saga-2");
    expect(found.steps).toMatchObject([{ name: "book-courier", status: "running" }]);
    expect(found.deadlineAt).not.toBeNull();
    // The request was answered long ago: with a deadline that is no end.
    expect(found.status).toBe("running");
  }, INDEXED);
  expect(await listed("timed-out")).toEqual([]);
  shipping.app.child.kill("SIGKILL");
  await shipping.app.ended;
  await post(`${orders.url}/hurry`, "saga-2");
  const saga = await vi.waitFor(async () => {
    const found = await findSaga("saga-2");
    expect(found.status).toBe("timed-out");
    return found;
  }, INDEXED);
  expect(saga.steps).toMatchObject([
    { name: "book-courier", service: "shipping", status: "running", durationMs: null },
  ]);
  expect(await listed("timed-out")).toEqual(["saga-2"]);
  const printed = await clew("find", "saga-2");
  expect(printed).toMatch(/status +timed-out/);
  expect(printed).toMatch(/deadline +.* nobody has said how it ended/);
  expect(printed).toMatch(/shipping {2}book-courier {2}never ended/);
});

test("scenario 22: Prometheus is told of a live instance, and of an ended one no more", {
  timeout: TEST_MS,
}, async () => {
  const stays = await startService("stays", {});
  const goes = await startService("goes", {});
  await vi.waitFor(async () => {
    const names = (await targets()).map(({ labels }) => labels.service_name);
    expect(names).toEqual(expect.arrayContaining(["goes", "stays"]));
  }, INDEXED);
  const [target] = (await targets()).filter(({ labels }) => labels.service_name === "stays");
  expect(target?.labels.clew_run_id).toMatch(/^[0-9a-f]{32}$/);
  expect(target?.labels.service_instance_id).toBe(target?.labels.clew_run_id);
  const scraped = await fetch(`http://${target?.targets[0]}/metrics`);
  expect(scraped.status).toBe(200);
  await scraped.body?.cancel();
  goes.app.child.kill("SIGTERM");
  await goes.app.ended;
  await vi.waitFor(async () => {
    const names = (await targets()).map(({ labels }) => labels.service_name);
    expect(names).toContain("stays");
    expect(names).not.toContain("goes");
  }, INDEXED);
  const logs = await collector.api.logs();
  expect(logs.map(({ message }) => message)).not.toContain("Run report");
  expect(await clew("logs", "--reports", "--service", "goes")).toContain("Run report");
  expect(stays.app.child.exitCode).toBeNull();
});

/** A service with a handler's body per path; what it throws is answered with 500. */
async function startService(
  name: string,
  handlers: Readonly<Record<string, string>>,
): Promise<{ app: App; url: string }> {
  const cases = Object.entries(handlers).map(
    ([path, body]) => `${JSON.stringify(path)}: async (res) => { ${body} }`,
  );
  const code = `
    import http from "node:http";
    import { setTimeout as settled } from "node:timers/promises";
    import { markExpected, transaction } from "@clew/instrumentation";
    const post = (url) => fetch(url, { method: "POST" });
    const handlers = { ${cases.join(",")} };
    const server = http.createServer((req, res) => {
      handlers[req.url]?.(res).then(() => res.end(), () => res.writeHead(500).end());
    });
    server.listen(0, "127.0.0.1", () => console.log(JSON.stringify(server.address().port)));
  `;
  const env = {
    OTEL_SERVICE_NAME: name,
    CLEW_METRICS_PORT: "0",
    CLEW_SPOOL_DIR: join(spoolDir, name),
  };
  const app = new App({ code, endpoint: collector.otlpUrl, env });
  apps.push(app);
  return { app, url: `http://127.0.0.1:${await app.nextJson<number>()}` };
}

async function post(url: string, transactionId: string): Promise<void> {
  const headers = { "x-transaction-id": transactionId };
  const response = await fetch(url, { method: "POST", headers });
  expect(response.status).toBe(200);
}

async function findSaga(id: string): Promise<Saga> {
  const response = await fetch(`${collector.queryUrl}/api/v1/transactions/${id}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Saga;
}

async function listed(status: string): Promise<string[]> {
  const response = await fetch(`${collector.queryUrl}/api/v1/transactions?status=${status}`);
  const { transactions } = (await response.json()) as { transactions: Saga[] };
  return transactions.map(({ transactionId }) => transactionId);
}

async function targets(): Promise<readonly Target[]> {
  const response = await fetch(`${collector.queryUrl}/sd/prometheus`);
  expect(response.headers.get("content-type")).toBe("application/json");
  return (await response.json()) as Target[];
}

async function clew(...command: string[]): Promise<string> {
  const args = [CLEW, ...command, "--url", collector.queryUrl];
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(process.execPath, args, { env: {}, stdio: [...stdio] });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const [exitCode] = await once(child, "close");
  expect(exitCode).toBe(0);
  return printed;
}

async function end(app: App): Promise<void> {
  if (app.child.exitCode === null && app.child.signalCode === null) app.child.kill("SIGTERM");
  await app.ended;
}
