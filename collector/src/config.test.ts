import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readClientConfig, readConfig } from "./config.ts";
import { ClewError } from "./errors.ts";

const dir = mkdtempSync(join(tmpdir(), "clew-config-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("our own name is a transaction key whatever the list says, and the first", () => {
  expect(readConfig({ CLEW_TRANSACTION_KEYS: "order.id, clew.transaction.id" })).toMatchObject({
    transactionKeys: ["clew.transaction.id", "order.id"],
  });
});

test("an empty environment gives the documented defaults", () => {
  expect(readConfig({})).toEqual({
    host: "127.0.0.1",
    port: 4320,
    otlpHttpPort: 4318,
    otlpGrpcPort: 4317,
    jaegerPort: 17_271,
    dataDir: resolve(".clew"),
    roles: ["ingest", "index", "query"],
    ingestTokens: [],
    queryTokens: [],
    adminTokens: [],
    retentionDays: 7,
    diskLimitBytes: 0,
    maxRequestBytes: 64 * 1024 * 1024,
    maxInFlightBytes: 128 * 1024 * 1024,
    transactionKeys: [
      "clew.transaction.id",
      "transaction_id",
      "transactionId",
      "correlation_id",
      "correlationId",
      "labels.transaction_id",
    ],
    scrapeNetworks: ["loopback"],
    kafka: undefined,
    elasticsearch: undefined,
    syslogNetworks: ["loopback"],
  });
});

test("a variable that is set but empty counts as not set, as containers pass it", () => {
  expect(readConfig({ CLEW_PORT: "", CLEW_HOST: "", CLEW_DISK_LIMIT: "" }).port).toBe(4320);
});

test("the configuration cannot be changed after it was checked", () => {
  expect(Object.isFrozen(readConfig({}))).toBe(true);
});

test.each([
  ["1048576", 1_048_576],
  ["2MiB", 2_097_152],
  ["10 GB", 10_000_000_000],
  ["1gib", 1_073_741_824],
])("reads CLEW_DISK_LIMIT=%s as %d bytes", (text, want) => {
  expect(readConfig({ CLEW_DISK_LIMIT: text }).diskLimitBytes).toBe(want);
});

test.each([
  ["CLEW_PORT", "http", "a whole number from 0 to 65535"],
  ["CLEW_PORT", "70000", "a whole number from 0 to 65535"],
  ["CLEW_OTLP_HTTP_PORT", "-1", "a whole number from 0 to 65535"],
  ["CLEW_HOST", "example.test", "an IP address of this machine, or localhost"],
  ["CLEW_RETENTION_DAYS", "0", "a whole number from 1 to 3650"],
  ["CLEW_DISK_LIMIT", "ten", "bytes, at least 0"],
  ["CLEW_SYSLOG_PORT", "514x", "a whole number from 0 to 65535"],
  ["CLEW_SYSLOG_NETWORKS", "switches.local", "networks as in 10.0.0.0/8, addresses"],
  ["CLEW_SCRAPE_NETWORKS", "orders.svc", "networks as in 10.0.0.0/8, addresses"],
  ["CLEW_MAX_REQUEST_BYTES", "10 parsecs", "bytes, at least 1024"],
  ["CLEW_MAX_IN_FLIGHT_BYTES", "1MiB", "at least CLEW_MAX_REQUEST_BYTES"],
  ["CLEW_ROLES", "ingest,serve", "ingest, index, query"],
  ["CLEW_ROLES", ",", "ingest, index, query"],
  ["CLEW_KAFKA_BROKERS", "kafka", "host:port"],
])("%s=%s stops the start with one line that says what is allowed", (name, value, allowed) => {
  const message = refusal({ [name]: value });
  expect(message).toContain(`${name}=`);
  expect(message).toContain(allowed);
  expect(message).not.toContain("\n");
});

const KAFKA = { CLEW_KAFKA_BROKERS: "127.0.0.1:9092" };
const ELASTICSEARCH = { CLEW_ELASTICSEARCH_URL: "http://127.0.0.1:9200" };

test.each<[Record<string, string>, RegExp]>([
  [{}, /the bus is embedded \(CLEW_KAFKA_BROKERS .* and the store is embedded/],
  [KAFKA, /for the store is embedded \(CLEW_ELASTICSEARCH_URL is not set\)$/],
  [ELASTICSEARCH, /for the bus is embedded \(CLEW_KAFKA_BROKERS is not set\)$/],
])("split roles are refused with %j", (servers, why) => {
  const message = refusal({ ...servers, CLEW_ROLES: "query" });
  expect(message).toMatch(/^CLEW_ROLES=query: allowed is ingest,index,query together, /);
  expect(message).toMatch(why);
  expect(readConfig({ ...servers, CLEW_ROLES: "query,ingest,index" }).roles).toHaveLength(3);
});

test("roles may be split where bus and store are both elsewhere", () => {
  const servers = { ...KAFKA, ...ELASTICSEARCH };
  expect(readConfig({ ...servers, CLEW_ROLES: "query, ingest,query" }).roles).toEqual([
    "ingest",
    "query",
  ]);
  expect(refusal({ ...servers, CLEW_DISK_LIMIT: "10GB" })).toMatch(/^CLEW_DISK_LIMIT=\d+: .*other/);
});

test("beyond loopback it refuses to start without tokens for both doors", () => {
  expect(refusal({ CLEW_HOST: "0.0.0.0" })).toContain("CLEW_INGEST_TOKENS");
  const half = { CLEW_HOST: "0.0.0.0", CLEW_INGEST_TOKENS: "ingest-secret" };
  expect(refusal(half)).toContain("CLEW_QUERY_TOKENS");
  expect(readConfig({ ...half, CLEW_QUERY_TOKENS: "query-secret" }).host).toBe("0.0.0.0");
  expect(readConfig({ CLEW_HOST: "::", CLEW_INSECURE: "1" }).host).toBe("::");
});

test("beyond loopback syslog needs the networks that may send, for it has no tokens", () => {
  const open = {
    CLEW_HOST: "0.0.0.0",
    CLEW_INGEST_TOKENS: "ingest-secret",
    CLEW_QUERY_TOKENS: "query-secret",
  };
  expect(readConfig(open).syslogPort).toBeUndefined();
  const syslog = { ...open, CLEW_SYSLOG_PORT: "5514" };
  expect(refusal(syslog)).toMatch(/^CLEW_SYSLOG_PORT=5514: .*CLEW_SYSLOG_NETWORKS/);
  const chosen = readConfig({ ...syslog, CLEW_SYSLOG_NETWORKS: "private,192.0.2.7" });
  expect(chosen.syslogNetworks).toEqual(["private", "192.0.2.7"]);
  const insecure = readConfig({ ...syslog, CLEW_INSECURE: "1" });
  expect(insecure.syslogNetworks).toEqual(["0.0.0.0/0", "::/0"]);
  expect(readConfig({ CLEW_SYSLOG_PORT: "0" })).toMatchObject({
    syslogPort: 0,
    syslogNetworks: ["loopback"],
  });
});

test("a token comes from a file too, and never appears in an error", () => {
  const file = join(dir, "tokens");
  writeFileSync(file, "first-secret\nsecond-secret\n");
  expect(readConfig({ CLEW_QUERY_TOKENS_FILE: file }).queryTokens).toEqual([
    { name: "query-1", token: "first-secret" },
    { name: "query-2", token: "second-secret" },
  ]);
  expect(refusal({ CLEW_QUERY_TOKENS: "short" })).not.toContain("short");
  expect(refusal({ CLEW_QUERY_TOKENS: "first-secret", CLEW_QUERY_TOKENS_FILE: file })).toContain(
    "not both",
  );
  expect(refusal({ CLEW_QUERY_TOKENS_FILE: join(dir, "missing") })).toContain("cannot be read");
});

test("a client talks to loopback where the collector listens everywhere", () => {
  const client = readClientConfig({ CLEW_HOST: "::", CLEW_PORT: "5000", NO_COLOR: "1" });
  expect(client.queryUrl).toBe("http://127.0.0.1:5000");
  expect(client.mayColour).toBe(false);
  expect(readClientConfig({ CLEW_HOST: "::1" }).otlpUrl).toBe("http://[::1]:4318");
});

function refusal(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ClewError);
    expect((thrown as ClewError).code).toBe("CONFIG_INVALID");
    return (thrown as ClewError).message;
  }
  throw new Error(`accepted ${JSON.stringify(env)}`);
}
