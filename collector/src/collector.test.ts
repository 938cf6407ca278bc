import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startCollector } from "./collector.ts";
import { type Config, readConfig, VARIABLE } from "./config.ts";

let dataDir: string;
let other: Server;
let lines: string[];
const options = { report: (line: string) => lines.push(line) };

beforeEach(async () => {
  lines = [];
  dataDir = mkdtempSync(join(tmpdir(), "clew-collector-"));
  other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
});

afterEach(() => {
  other.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function config(own: Partial<Config> = {}): Config {
  const { port, otlpHttpPort, otlpGrpcPort, jaegerPort } = VARIABLE;
  const ports = [port, otlpHttpPort, otlpGrpcPort, jaegerPort];
  const free = Object.fromEntries(ports.map((name) => [name, "0"]));
  const env = { ...free, [VARIABLE.dataDir]: dataDir };
  return { ...readConfig(env), ...own };
}

test("a start that fails leaves nothing behind: the same data can be opened at once", async () => {
  const { port } = other.address() as AddressInfo;
  for (const own of [
    { port },
    { otlpHttpPort: port },
    { otlpGrpcPort: port },
    { syslogPort: port },
  ]) {
    const starting = startCollector(config(own), options);
    await expect(starting).rejects.toMatchObject({ code: "PORT_IN_USE" });
  }
  const collector = await startCollector(config(), options);
  await expect(startCollector(config(), options)).rejects.toMatchObject({
    code: "DATA_DIR_IN_USE",
  });
  await collector.stop();
  await collector.stop();
  expect(lines).toEqual([]);
});

test("what was acknowledged before the end is found after the next start", async () => {
  const first = await startCollector(config(), options);
  const response = await fetch(`http://127.0.0.1:${first.ports.otlpHttpPort}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "kept" } }] }] }],
    }),
  });
  expect(response.status).toBe(200);
  await first.stop();
  const second = await startCollector(config(), options);
  const url = `http://127.0.0.1:${second.ports.port}`;
  await vi.waitFor(async () => {
    const answer = (await (await fetch(`${url}/api/v1/logs?q=kept`)).json()) as {
      records: unknown[];
    };
    expect(answer.records).toHaveLength(1);
  });
  const ready = await (await fetch(`${url}/readyz`)).json();
  expect(ready).toMatchObject({
    status: "ready",
    parts: [{ name: "bus" }, { name: "indexer" }, { name: "store" }],
  });
  await vi.waitFor(async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain("clew_bus_lag_records 0");
    expect(metrics).toMatch(/^process_resident_memory_bytes \d+/m);
  });
  await second.stop();
});

test("syslog has a port where one was asked for; what came before the end is kept", async () => {
  const without = await startCollector(config(), options);
  expect(without.ports.syslogPort).toBeUndefined();
  await without.stop();
  const first = await startCollector(config({ syslogPort: 0 }), options);
  const socket = connect(first.ports.syslogPort ?? 0, "127.0.0.1");
  await new Promise<void>((resolve) => socket.write("<13>kept by syslog\n", () => resolve()));
  await first.stop();
  const second = await startCollector(config(), options);
  await vi.waitFor(async () => {
    const response = await fetch(`http://127.0.0.1:${second.ports.port}/api/v1/logs`);
    expect(await response.text()).toContain("kept by syslog");
  });
  await second.stop();
});

test("the limit on the data counts bus and store together, and says so", async () => {
  const collector = await startCollector(config({ diskLimitBytes: 512 * 1024 }), options);
  const { port, otlpHttpPort } = collector.ports;
  const record = { body: { stringValue: "x".repeat(50_000) } };
  const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
  // Each is committed, and gone from the bus, long before the limit: it is the store that grows.
  const refused = await vi.waitFor(
    async () => {
      const response = await fetch(`http://127.0.0.1:${otlpHttpPort}/v1/logs`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      expect(response.status).toBe(503);
      return response;
    },
    { timeout: 30_000, interval: 20 },
  );
  expect(await refused.json()).toMatchObject({
    message: expect.stringContaining(VARIABLE.diskLimit),
  });
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain(VARIABLE.diskLimit);
  await collector.stop();
});
