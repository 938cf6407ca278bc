/** Who is let in at which door (promise 7), against `clew serve`. */
import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { logsRequest, metricsRequest, tracesRequest } from "../../collector/test/otlp-fixtures.ts";
import { RawConnection, send } from "../../collector/test/receiver-harness.ts";
import { callGrpc, GRPC_PATH } from "./grpc-call.ts";
import { metricOf } from "./held-bytes.ts";
import { freshDataDir } from "./launched-stack.ts";
import { RealCollector } from "./real-collector.ts";

const TOKENS = { ingest: "token-to-send", query: "token-to-read", admin: "token-to-mend" } as const;
type Role = keyof typeof TOKENS;
const TOKENS_SET = {
  CLEW_INGEST_TOKENS: TOKENS.ingest,
  CLEW_QUERY_TOKENS: TOKENS.query,
  CLEW_ADMIN_TOKENS: TOKENS.admin,
};
const PROGRAM = join(import.meta.dirname, "../../collector/bin/clew.js");
const START_DEADLINE_MS = 20_000;

const LET_IN = "let in";
const REFUSED = "refused";
type Knock = (door: { collector: RealCollector; authorization?: string }) => Promise<string>;

interface Door {
  readonly name: string;
  /** Whose token opens it; `anybody`: none is needed. */
  readonly role: Role | "anybody";
  readonly knock: Knock;
}

const GRPC_UNAUTHENTICATED = 16;
const LOGS = logsRequest([]);
const TRACES = tracesRequest([]);
const METRICS = metricsRequest("cpu", []);
const NDJSON = { "content-type": "application/x-ndjson" };
const BULK = Buffer.from('{"create":{"_index":"orders"}}\n{"message":"one"}\n');
const LINES = Buffer.from('{"message":"one"}\n');

const DOORS: readonly Door[] = [
  { name: "POST /v1/logs", role: "ingest", knock: ingest({ path: "/v1/logs", body: LOGS }) },
  { name: "POST /v1/traces", role: "ingest", knock: ingest({ path: "/v1/traces", body: TRACES }) },
  {
    name: "POST /v1/metrics",
    role: "ingest",
    knock: ingest({ path: "/v1/metrics", body: METRICS }),
  },
  { name: "gRPC LogsService", role: "ingest", knock: grpc(GRPC_PATH.logs) },
  { name: "gRPC TraceService", role: "ingest", knock: grpc(GRPC_PATH.traces) },
  { name: "gRPC MetricsService", role: "ingest", knock: grpc(GRPC_PATH.metrics) },
  {
    name: "POST /_bulk",
    role: "ingest",
    knock: ingest({ path: "/_bulk", headers: NDJSON, body: BULK }),
  },
  {
    name: "POST /{index}/_bulk",
    role: "ingest",
    knock: ingest({ path: "/orders/_bulk", headers: NDJSON, body: BULK }),
  },
  { name: "GET / (Elasticsearch)", role: "ingest", knock: ingest({ method: "GET", path: "/" }) },
  { name: "HEAD / (Elasticsearch)", role: "ingest", knock: ingest({ method: "HEAD", path: "/" }) },
  { name: "GET /_license", role: "ingest", knock: ingest({ method: "GET", path: "/_license" }) },
  { name: "HEAD /{index}", role: "ingest", knock: ingest({ method: "HEAD", path: "/orders" }) },
  {
    name: "POST /ingest/ndjson",
    role: "ingest",
    knock: ingest({ path: "/ingest/ndjson", headers: NDJSON, body: LINES }),
  },
  { name: "GET /api/v1/transactions", role: "query", knock: query("/api/v1/transactions") },
  { name: "GET /api/v1/logs", role: "query", knock: query("/api/v1/logs") },
  { name: "GET /api/v1/logs/tail", role: "query", knock: query("/api/v1/logs/tail") },
  { name: "GET /api/v1/services", role: "query", knock: query("/api/v1/services") },
  { name: "GET /metrics", role: "query", knock: query("/metrics") },
  { name: "GET /sd/prometheus", role: "query", knock: query("/sd/prometheus") },
  { name: "GET / (the page)", role: "anybody", knock: query("/") },
  { name: "GET /healthz", role: "anybody", knock: query("/healthz") },
  { name: "GET /readyz", role: "anybody", knock: query("/readyz") },
];

const CALLERS = [
  ["nobody", undefined],
  ["an unknown token", "Bearer token-of-nobody"],
  ["a token with one letter more", `Bearer ${TOKENS.ingest}x`],
  ["an empty token", "Bearer "],
  ["two tokens", `Bearer ${TOKENS.ingest} ${TOKENS.query}`],
  ["the ingest role", `Bearer ${TOKENS.ingest}`],
  ["the query role", `Bearer ${TOKENS.query}`],
  ["the admin role", `Bearer ${TOKENS.admin}`],
  ["the ingest role, scheme in capitals", `BEARER ${TOKENS.ingest}`],
] as const;

describe("each door and each caller", () => {
  let collector: RealCollector;
  beforeAll(async () => {
    collector = await RealCollector.start(TOKENS_SET);
  });
  afterAll(() => collector?.stop());

  describe.each(DOORS)("$name", ({ role, knock }) => {
    test.each(CALLERS)("%s", async (_caller, authorization) => {
      const isMeant = role !== "anybody" && isTokenOf(role, authorization);
      const wanted = role === "anybody" || isMeant ? LET_IN : REFUSED;
      const sent = authorization === undefined ? {} : { authorization };
      expect(await knock({ collector, ...sent })).toBe(wanted);
    });
  });

  test.each([
    ["Basic", `beats:${TOKENS.ingest}`, LET_IN],
    ["ApiKey", `some-id:${TOKENS.ingest}`, LET_IN],
    ["Basic", `beats:${TOKENS.query}`, REFUSED],
    ["ApiKey", TOKENS.ingest, REFUSED],
  ])("/_bulk takes Elasticsearch's own schemes: %s of %s", async (scheme, pair, wanted) => {
    const authorization = `${scheme} ${Buffer.from(pair).toString("base64")}`;
    const knock = ingest({ path: "/_bulk", headers: NDJSON, body: BULK });
    expect(await knock({ collector, authorization })).toBe(wanted);
    const otlp = ingest({ path: "/v1/logs", body: LOGS });
    expect(await otlp({ collector, authorization })).toBe(REFUSED);
  });

  test.each(["/v1/logs", "/v1/traces", "/v1/metrics", "/_bulk", "/ingest/ndjson"])(
    "%s refuses before the body comes",
    async (path) => {
      const connection = new RawConnection(portOf(collector.otlpUrl));
      const type = path.startsWith("/v1") ? "application/x-protobuf" : NDJSON["content-type"];
      const head = `Host: a\r\nContent-Type: ${type}\r\nContent-Length: 1000000`;
      connection.write(`POST ${path} HTTP/1.1\r\n${head}\r\n\r\n`);
      await vi.waitFor(() => expect(connection.text).toContain("HTTP/1.1 401 "), 5000);
      connection.socket.destroy();
    },
  );

  test("what was refused is not stored, and counted", async () => {
    const headers = { authorization: `Bearer ${TOKENS.query}` };
    const metrics = await (await fetch(`${collector.queryUrl}/metrics`, { headers })).text();
    expect(metrics).toMatch(/clew_receive_refused_requests_total\{code="UNAUTHENTICATED"\} \d+/);
  });
});

describe("syslog, which knows no tokens", () => {
  const MESSAGE = "<14>1 2026-01-01T00:00:00Z host app - - - one\n";

  test.each([
    ["loopback", "", 1],
    ["networks that are allowed, this one among them", "10.0.0.0/8, loopback", 1],
    ["other networks", "10.0.0.0/8", 0],
  ])("lets in %s", async (_who, networks, stored) => {
    const collector = await RealCollector.start({
      ...{ CLEW_SYSLOG_PORT: "0", CLEW_SYSLOG_NETWORKS: networks },
    });
    try {
      const sender = connect(collector.syslogPort, "127.0.0.1");
      sender.on("error", () => sender.destroy());
      sender.end(MESSAGE);
      const counter = stored === 1 ? /^clew_receive_accepted/ : /^clew_syslog_refused.*"network"/;
      await vi.waitFor(async () => expect(await metricOf(collector, counter)).toBe(1), 10_000);
      await vi.waitFor(async () => expect(await collector.api.logs()).toHaveLength(stored), 10_000);
    } finally {
      await collector.stop();
    }
  });
});

describe("beyond loopback", () => {
  const BOTH = { CLEW_INGEST_TOKENS: TOKENS.ingest, CLEW_QUERY_TOKENS: TOKENS.query };

  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ["every address", { CLEW_HOST: "0.0.0.0" }, /^CLEW_HOST=0\.0\.0\.0: .*CLEW_INGEST_TOKENS/],
    ["every address of IPv6", { CLEW_HOST: "::" }, /^CLEW_HOST=::: .*CLEW_INGEST_TOKENS/],
    ["one address", { CLEW_HOST: "192.0.2.1" }, /^CLEW_HOST=192\.0\.2\.1: .*CLEW_INGEST_TOKENS/],
    [
      "tokens for sending only",
      { CLEW_HOST: "0.0.0.0", CLEW_INGEST_TOKENS: TOKENS.ingest },
      /^CLEW_HOST=0\.0\.0\.0: .*CLEW_QUERY_TOKENS/,
    ],
    [
      "tokens for reading only",
      { CLEW_HOST: "0.0.0.0", CLEW_QUERY_TOKENS: TOKENS.query },
      /^CLEW_HOST=0\.0\.0\.0: .*CLEW_INGEST_TOKENS/,
    ],
    [
      "CLEW_INSECURE that is not 1",
      { CLEW_HOST: "0.0.0.0", CLEW_INSECURE: "true" },
      /^CLEW_HOST=0\.0\.0\.0: /,
    ],
    [
      "tokens, but syslog for everybody",
      { CLEW_HOST: "0.0.0.0", ...BOTH, CLEW_SYSLOG_PORT: "0" },
      /^CLEW_SYSLOG_PORT=0: .*CLEW_SYSLOG_NETWORKS/,
    ],
    [
      "a token that is too short",
      { CLEW_HOST: "0.0.0.0", ...BOTH, CLEW_QUERY_TOKENS: "hunter2" },
      /^CLEW_QUERY_TOKENS=\(secret\): /,
    ],
    [
      "a file of tokens that is not there",
      {
        CLEW_HOST: "0.0.0.0",
        ...BOTH,
        CLEW_QUERY_TOKENS: "",
        CLEW_QUERY_TOKENS_FILE: "/not/there",
      },
      /^CLEW_QUERY_TOKENS_FILE=\/not\/there: the file cannot be read/,
    ],
  ])("does not start: %s", (_why, env, line) => {
    const { code, output } = serve(env);
    expect(code).toBe(1);
    expect(output.trim()).toMatch(line);
    expect(output.trim().split("\n")).toHaveLength(1);
    for (const secret of [...Object.values(TOKENS), "hunter2"])
      expect(output).not.toContain(secret);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["with tokens for both roles", BOTH],
    ["where CLEW_INSECURE=1 asks for it", { CLEW_INSECURE: "1" }],
  ])("starts %s", async (_when, env) => {
    const collector = await RealCollector.start({ CLEW_HOST: "0.0.0.0", ...env });
    expect((await fetch(`${collector.queryUrl}/readyz`)).status).toBe(200);
    await collector.stop();
  });
});

function isTokenOf(role: Role, authorization: string | undefined): boolean {
  return authorization?.toLowerCase() === `bearer ${TOKENS[role]}`;
}

/** `clew serve` that is expected to end by itself. */
function serve(env: Readonly<Record<string, string>>): { code: number | null; output: string } {
  const dataDir = freshDataDir();
  const ports = {
    CLEW_PORT: "0",
    CLEW_OTLP_HTTP_PORT: "0",
    CLEW_OTLP_GRPC_PORT: "0",
    CLEW_JAEGER_PORT: "0",
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, "serve"], {
    env: { ...ports, CLEW_DATA_DIR: dataDir.path, ...env },
    encoding: "utf8",
    timeout: START_DEADLINE_MS,
  });
  dataDir.dispose();
  return { code: status, output: stdout + stderr };
}

/** The port for records over HTTP; a POST unless it says otherwise. */
function ingest(sent: Omit<Parameters<typeof send>[0], "port">): Knock {
  return async ({ collector, authorization }) => {
    const headers = authorization === undefined ? {} : { authorization };
    const port = portOf(collector.otlpUrl);
    const answer = await send({ ...sent, port, headers: { ...sent.headers, ...headers } });
    if (answer.status === 401) expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
    return outcomeOf(answer.status);
  };
}

function grpc(path: string): Knock {
  return async ({ collector, authorization }) => {
    const headers = authorization === undefined ? {} : { authorization };
    const url = collector.otlpGrpcUrl;
    const { code } = await callGrpc({ url, path, message: Buffer.alloc(0), headers });
    if (code === 0) return LET_IN;
    return code === GRPC_UNAUTHENTICATED ? REFUSED : `gRPC ${code}`;
  };
}

/** The port of the page and of all that is read. */
function query(path: string): Knock {
  return async ({ collector, authorization }) => {
    const headers = authorization === undefined ? {} : { authorization };
    const { status, body } = await fetch(collector.queryUrl + path, { headers });
    await body?.cancel();
    return outcomeOf(status);
  };
}

function outcomeOf(status: number): string {
  if (status === 200) return LET_IN;
  return status === 401 ? REFUSED : `HTTP ${status}`;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
