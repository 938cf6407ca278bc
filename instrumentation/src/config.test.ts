import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { DEFAULT_OUTBOUND_HOSTS } from "./http/config.ts";

const read = (env: Record<string, string>) => readConfig(env, "/nowhere/at/all.js");

test("nothing set: the collector on this machine, everything sampled, callers trusted", () => {
  expect(read({})).toMatchObject({
    disabled: false,
    serviceName: "unknown_service:node",
    traces: { enabled: true, url: "http://127.0.0.1:4318/v1/traces", headers: {}, gzip: false },
    logs: { enabled: true, url: "http://127.0.0.1:4318/v1/logs", timeoutMs: 10_000 },
    sampler: "parentbased_always_on",
    samplerRatio: 1,
    trustInbound: true,
    outboundHosts: DEFAULT_OUTBOUND_HOSTS,
    warnings: [],
  });
});

test.each<[Record<string, string>, object]>([
  [{ OTEL_SERVICE_NAME: "a", OTEL_RESOURCE_ATTRIBUTES: "service.name=b" }, { serviceName: "a" }],
  [
    { OTEL_RESOURCE_ATTRIBUTES: "service.name=b,x=1%2C2" },
    {
      serviceName: "b",
      resourceAttributes: { x: "1,2" },
    },
  ],
  [{ OTEL_SDK_DISABLED: "TRUE" }, { disabled: true }],
  [{ OTEL_SDK_DISABLED: "" }, { disabled: false }],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1/base/" },
    {
      logs: { url: "http://c:1/base/v1/logs" },
    },
  ],
  [{ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "https://c:1/own" }, { logs: { url: "https://c:1/own" } }],
  [
    { OTEL_EXPORTER_OTLP_HEADERS: "a=1,b=%20x", OTEL_EXPORTER_OTLP_LOGS_HEADERS: "a=2" },
    {
      logs: { headers: { a: "2", b: " x" } },
      traces: { headers: { a: "1", b: " x" } },
    },
  ],
  [
    { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip", OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "none" },
    {
      logs: { gzip: true },
      traces: { gzip: false },
    },
  ],
  [
    { OTEL_EXPORTER_OTLP_TIMEOUT: "5", OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: "6" },
    {
      logs: { timeoutMs: 6 },
      traces: { timeoutMs: 5 },
    },
  ],
  [{ OTEL_LOGS_EXPORTER: "none" }, { logs: { enabled: false }, traces: { enabled: true } }],
  [
    { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" },
    {
      sampler: "traceidratio",
      samplerRatio: 0.25,
    },
  ],
  [
    { OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "3", OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "7" },
    {
      spanLimits: { attributes: 3, valueLength: 7, events: 128, links: 128 },
    },
  ],
  [{ CLEW_TRUST_INBOUND: "0" }, { trustInbound: false }],
  [{ CLEW_OUTBOUND_HOSTS: " A.example ,loopback,," }, { outboundHosts: ["a.example", "loopback"] }],
])("%j", (env, want) => {
  expect(read(env)).toMatchObject(want);
  expect(read(env).warnings).toEqual([]);
});

test.each<[Record<string, string>, string, object]>([
  [
    { OTEL_TRACES_SAMPLER: "sometimes" },
    'OTEL_TRACES_SAMPLER is "sometimes"',
    {
      sampler: "parentbased_always_on",
    },
  ],
  [{ OTEL_TRACES_SAMPLER_ARG: "2" }, 'OTEL_TRACES_SAMPLER_ARG is "2"', { samplerRatio: 1 }],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "ftp://secret@c" },
    "not an http(s) URL",
    {
      logs: { url: "http://127.0.0.1:4318/v1/logs" },
    },
  ],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "http/xml" }, "allowed are http/protobuf", {}],
  [{ OTEL_EXPORTER_OTLP_TIMEOUT: "soon" }, 'TIMEOUT is "soon"', { logs: { timeoutMs: 10_000 } }],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "secret" }, "not key=value", { logs: { headers: {} } }],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "a=%zz" }, "not key=value", { logs: { headers: {} } }],
  [{ OTEL_LOGS_EXPORTER: "zipkin" }, "allowed are otlp, console", { logs: { enabled: true } }],
  [{ CLEW_TRUST_INBOUND: "maybe" }, "allowed are 1 and 0", { trustInbound: true }],
])("a wrong value is named and its default holds: %j", (env, warning, want) => {
  const config = read(env);
  expect(config.warnings.join()).toContain(warning);
  expect(config.warnings.join()).not.toContain("secret");
  expect(config).toMatchObject(want);
});

test("the service's name falls back to the nearest package.json that has one", () => {
  const folder = mkdtempSync(join(tmpdir(), "clew-config-"));
  try {
    mkdirSync(join(folder, "src", "deep"), { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"name":"the-shop"}');
    writeFileSync(join(folder, "src", "package.json"), '{"type":"module"}');
    expect(readConfig({}, join(folder, "src", "deep", "app.js")).serviceName).toBe("the-shop");
    writeFileSync(join(folder, "src", "package.json"), "{broken");
    expect(readConfig({}, join(folder, "src", "deep", "app.js")).serviceName).toBe("the-shop");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the default spool belongs to the user and to the collector it is for", () => {
  const directoryOf = (env: Record<string, string>) => read(env).spool.directory ?? "";
  const here = directoryOf({});
  const there = directoryOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" });
  expect(here).toMatch(/clew-spool-\d+\/[0-9a-f]{8}$/);
  expect(there).not.toBe(here);
  expect(directoryOf({ CLEW_SPOOL_DIR: "/var/spool/x" })).toBe("/var/spool/x");
  expect(read({ CLEW_SPOOL_DIR: "off" }).spool.directory).toBeUndefined();
});
