import { afterEach, beforeEach, expect, test } from "vitest";
import { ClewError } from "../errors.ts";
import { HealthServer, type HealthServerOptions } from "./health-server.ts";

const TOKEN = { name: "ada", token: "first-token" };

let server: HealthServer | undefined;
let url: string;
let fault: ClewError | undefined;

async function start(own: Partial<HealthServerOptions["config"]> = {}): Promise<void> {
  const config = { host: "127.0.0.1", port: 0, queryTokens: [], tls: undefined, ...own };
  server = new HealthServer({
    config: { roles: ["index"], ...config },
    metrics: { contentType: "text/plain; version=0.0.4", metrics: async () => "up 1\n" },
    parts: [
      {
        name: "indexer",
        check: async () => {
          if (fault) throw fault;
        },
      },
    ],
    onFault: () => undefined,
  });
  url = `http://127.0.0.1:${(await server.start()).port}`;
}

beforeEach(() => {
  fault = undefined;
});

afterEach(async () => {
  await server?.stop();
});

test("tells whether it lives, what it needs, and its figures", async () => {
  await start();
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: "alive" });
  const ready = await fetch(`${url}/readyz`);
  expect(await ready.json()).toMatchObject({ status: "ready", parts: [{ name: "indexer" }] });
  expect(await (await fetch(`${url}/metrics`)).text()).toBe("up 1\n");
  fault = new ClewError("STORE_UNAVAILABLE", "cannot write: it is away");
  const waiting = await fetch(`${url}/readyz`);
  expect(waiting.status).toBe(503);
  expect(await waiting.json()).toMatchObject({ detail: "indexer: cannot write: it is away" });
});

test.each([
  ["GET", "/", 404, "this process has CLEW_ROLES=index; ask one with query"],
  ["GET", "/api/v1/transactions/order-1", 404, "ask one with query"],
  ["POST", "/healthz", 405, "allowed are GET, HEAD"],
])("%s %s: %i", async (method, path, status, why) => {
  await start();
  const response = await fetch(url + path, { method });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining(why) });
});

test("guards the figures with the tokens of queries, and not the probes", async () => {
  await start({ queryTokens: [TOKEN] });
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  const headers = { authorization: `Bearer ${TOKEN.token}` };
  expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
});

test("says whose port it is that another has", async () => {
  await start();
  const { port } = new URL(url);
  const first = server;
  await expect(start({ port: Number(port) })).rejects.toMatchObject({ code: "PORT_IN_USE" });
  await first?.stop();
});
