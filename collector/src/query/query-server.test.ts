import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { VARIABLE } from "../config.ts";
import { ClewError, ERRORS, type ErrorCode } from "../errors.ts";
import type { StoredRecord } from "../record.ts";
import type { LogFilter, Page, StoreReader, TransactionSummary } from "../store/store.ts";
import { LogTails, TAILS_MAX } from "./log-tails.ts";
import type { Problem } from "./problem.ts";
import { createApp, QueryServer, type QueryServerParts } from "./query-server.ts";

const TOKENS = ["token-one", "token-two"].map((token) => ({ name: token, token }));

const HOST = { host: "127.0.0.1" };
const EMPTY: Page<never> = { items: [], cursor: null, isCut: false };
const SUMMARY: TransactionSummary = {
  transactionId: "order-1",
  startedNs: 1_769_860_800_000_000_000n,
  endedNs: 1_769_860_801_000_000_000n,
  operation: "POST /orders",
  status: "completed",
  services: ["orders"],
  logs: 1,
  spans: 1,
  errors: 0,
  deadLetters: 0,
  events: 0,
  statedNs: null,
  deadlineNs: null,
};

const TARGET = {
  targets: ["127.0.0.1:9464"],
  labels: { service_name: "orders", service_instance_id: "orders-1", clew_run_id: "a" },
} as const;

function logRecord(id: string): StoredRecord {
  return {
    id,
    kind: "log",
    time: "2026-01-31T12:00:00.000000001Z",
    receivedAt: "2026-01-31T12:00:00.000000002Z",
    transactionId: "order-1",
    traceId: "0123456789abcdef0123456789abcdef",
    spanId: null,
    parentSpanId: null,
    service: "orders",
    severityText: "INFO",
    severityNumber: 9,
    message: "hello",
    body: "hello",
    isError: false,
    attributes: {},
    resource: {},
    scope: "",
    span: null,
  };
}

/** A reader that answers what a test sets, and remembers what it was asked. */
class FakeReader implements StoreReader {
  fault: Error | undefined;
  summary: TransactionSummary | undefined = SUMMARY;
  pages: Page<StoredRecord>[] = [];
  readonly asked: unknown[] = [];

  findTransaction = (id: string) => this.#answer(id, this.summary);
  listTransactions = (filter: object) =>
    this.#answer(filter, { items: [SUMMARY], cursor: "next", isCut: true });
  transactionRecords = (filter: object) => this.#answer(filter, this.pages.shift() ?? EMPTY);
  searchLogs = (filter: LogFilter) => this.#answer(filter, this.pages.shift() ?? EMPTY);
  traceSpans = (filter: object) => this.#answer(filter, this.pages.shift() ?? EMPTY);
  sourcedSpans = (filter: object) => this.#answer(filter, EMPTY);
  services = (window: object) => {
    const operations = [{ service: "a", operation: "b", count: 1, errors: 0, p50Ms: 1, p99Ms: 2 }];
    const figures = { service: "a", logs: 1, errorLogs: 0, spans: 1, lastSeenNs: 0n, operations };
    return this.#answer(window, [figures]);
  };
  runs = (filter: object) => this.#answer(filter, EMPTY);
  findRun = (id: string) => this.#answer(id, undefined);
  countSpanLogs = (id: string) => this.#answer(id, { items: [], isCut: false });
  ledgers = (asked: object) => this.#answer(asked, []);
  listRunIds = (filter: object) => this.#answer(filter, EMPTY);
  deadLetters = (filter: object) => this.#answer(filter, EMPTY);
  deadLetterGroups = (filter: object) => this.#answer(filter, EMPTY);
  findDeadLetter = (id: string) => this.#answer(id, undefined);
  check = () => this.#answer("check", undefined);
  stop = async () => undefined;

  async #answer<T>(asked: unknown, answer: T): Promise<T> {
    this.asked.push(asked);
    if (this.fault) throw this.fault;
    return answer;
  }
}

const NO_LETTERS = { maxMessageBytes: 1, keepsMetrics: false, publish: async () => undefined };

let reader: FakeReader;
let faults: ClewError[];
let parts: QueryServerParts;

beforeEach(() => {
  reader = new FakeReader();
  faults = [];
  parts = {
    config: { host: "127.0.0.1", port: 0, queryTokens: [], adminTokens: [], tls: undefined },
    letterBus: NO_LETTERS,
    reader,
    news: { onStored: () => () => undefined },
    targets: { list: async () => [TARGET] },
    metrics: { contentType: "text/plain; version=0.0.4", metrics: async () => "up 1\n" },
    busLag: async () => ({ messages: 0, records: 0, seconds: 0 }),
    parts: [{ name: "store", check: () => reader.check() }],
    pageDir: join(tmpdir(), "clew-no-such-page"),
    nowNs: () => 0n,
    onFault: (error) => faults.push(error),
  };
});

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const app = createApp(parts, new LogTails(parts));
  const headers = new Headers({ host: "127.0.0.1", ...init.headers });
  return Promise.resolve(app.request(`http://127.0.0.1${path}`, { ...init, headers }));
}

interface Answer {
  readonly [name: string]: unknown;
}

async function answerOf(path: string): Promise<Answer> {
  return (await (await ask(path)).json()) as Answer;
}

async function expectProblem(response: Response, code: ErrorCode): Promise<string> {
  const { status, meaning } = ERRORS[code];
  const problem = (await response.json()) as Problem;
  expect(problem).toMatchObject({ code, status, title: meaning });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(problem.type).toBe(`urn:clew:problem:${code.toLowerCase().replaceAll("_", "-")}`);
  return problem.detail;
}

describe("errors", () => {
  test.each<ErrorCode>(["STORE_UNAVAILABLE", "STORE_QUERY_INVALID", "STORE_STOPPED", "STORE_FULL"])(
    "the store's %s reaches the client with its reason",
    async (code) => {
      reader.fault = new ClewError(code, "cannot read: it says so");
      const response = await ask("/api/v1/logs");
      expect(response.headers.get("retry-after")).toBe(ERRORS[code].isRetryable ? "1" : null);
      expect(await expectProblem(response, code)).toBe("cannot read: it says so");
    },
  );

  test("a fault of our own is told to us, and only its kind to the client", async () => {
    reader.fault = new TypeError("secret-path is undefined");
    const detail = await expectProblem(await ask("/api/v1/services"), "INTERNAL");
    expect(detail).not.toContain("secret-path");
    expect(faults[0]?.message).toContain("secret-path");
  });

  test.each(["/api/v1/nothing", "/api/v1", "/api/v1/transactions/a/b", "/missing.js", "/%ff.js"])(
    "nothing is at %s",
    async (path) => {
      await expectProblem(await ask(path), "NOT_FOUND");
    },
  );

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is not allowed", async (method) => {
    const response = await ask("/api/v1/logs", { method });
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    await expectProblem(response, "METHOD_NOT_ALLOWED");
  });

  test.each([
    "/api/v1/transactions?limit=0",
    "/api/v1/transactions?status=done",
    "/api/v1/transactions?verdict=maybe",
    "/api/v1/transactions?minDurationMs=slow",
    "/api/v1/transactions/order-1?x=1",
    "/api/v1/transactions/-order",
    "/api/v1/transactions/order-1/records?kind=metric",
    "/api/v1/transactions/order%20with%20spaces/records",
    "/api/v1/logs?severity=loud",
    "/api/v1/logs?from=15m",
    "/api/v1/logs?reports=yes",
    "/api/v1/logs/tail?limit=1",
    "/api/v1/services?from=x",
  ])("a wrong parameter in %s", async (path) => {
    await expectProblem(await ask(path), "PARAMETER_INVALID");
    expect(reader.asked).toEqual([]);
  });

  test("a name that only DNS rebinding brings here", async () => {
    for (const path of ["/", "/healthz", "/api/v1/logs", "/metrics"]) {
      await expectProblem(await ask(path, { headers: { host: "evil.example" } }), "HOST_REFUSED");
    }
  });

  test("more live tails than may be open", async () => {
    const tails = new LogTails(parts);
    const app = createApp(parts, tails);
    const open = () => app.request("http://127.0.0.1/api/v1/logs/tail", { headers: HOST });
    const taken = await Promise.all(Array.from({ length: TAILS_MAX }, open));
    expect(taken.every(({ status }) => status === 200)).toBe(true);
    await expectProblem(await open(), "QUERY_OVERLOADED");
    await Promise.all(taken.map(({ body }) => body?.cancel()));
    expect((await open()).status).toBe(200);
    tails.stop();
  });

  test("tokens guard the API and the metrics, not the page and the probes", async () => {
    parts = { ...parts, config: { ...parts.config, queryTokens: TOKENS } };
    for (const path of [
      "/api/v1/logs",
      "/api/v1/logs/tail",
      "/api/v1/nothing",
      "/sd/prometheus",
      "/metrics",
    ]) {
      const response = await ask(path, { headers: { authorization: "Bearer wrong" } });
      expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
      await expectProblem(response, "UNAUTHENTICATED");
      const right = await ask(path, { headers: { authorization: "Bearer token-two" } });
      expect(right.status).not.toBe(401);
      await right.body?.cancel();
    }
    for (const path of ["/", "/healthz", "/readyz"]) expect((await ask(path)).status).toBe(200);
  });
});

describe("answers", () => {
  test("a transaction, with every page of its spans", async () => {
    const spans = ["s1", "s2"].map((id) => ({ ...logRecord(id), kind: "span" as const }));
    reader.pages = [
      { items: spans.slice(0, 1), cursor: "c1", isCut: false },
      { items: spans.slice(1), cursor: null, isCut: false },
    ];
    const detail = await answerOf("/api/v1/transactions/order-1");
    expect(detail).toMatchObject({ transactionId: "order-1", verdict: "unknown", isCut: false });
    expect(detail.traceIds).toEqual(["0123456789abcdef0123456789abcdef"]);
    expect(reader.asked.slice(0, 3)).toMatchObject(["order-1", { kind: "span" }, { cursor: "c1" }]);
  });

  test("a transaction of which nothing is known", async () => {
    reader.summary = undefined;
    const detail = await expectProblem(await ask("/api/v1/transactions/none"), "NOT_FOUND");
    expect(detail).toContain("none");
  });

  test("a list passes each filter on", async () => {
    const query = "service=a&operation=b&status=failed&minDurationMs=5&q=x&cursor=c&limit=7";
    const list = await answerOf(`/api/v1/transactions?${query}`);
    expect(list).toMatchObject({ cursor: "next", isCut: true });
    expect(list.transactions).toMatchObject([{ transactionId: "order-1", verdict: "unknown" }]);
    const filter = { service: "a", operation: "b", status: "failed", minDurationMs: 5, query: "x" };
    expect(reader.asked[0]).toEqual({ ...filter, cursor: "c", limit: 7 });
  });

  test("records, logs and services", async () => {
    const page = { items: [logRecord("1")], cursor: "next", isCut: false };
    reader.pages = [page, page];
    const want = { records: [logRecord("1")], cursor: "next", isCut: false };
    const records = await ask("/api/v1/transactions/order-1/records?severity=error&kind=log");
    expect(await records.json()).toEqual(want);
    const logs = await ask("/api/v1/logs?q=hello&from=2026-01-31T12:00:00Z");
    expect(await logs.json()).toEqual(want);
    expect(logs.headers.get("cache-control")).toBe("no-store");
    expect(reader.asked).toEqual([
      { transactionId: "order-1", kind: "log", minSeverityNumber: 17, limit: 100 },
      { query: "hello", fromNs: 1_769_860_800_000_000_000n, limit: 100, order: "newest" },
    ]);
    const { services } = await answerOf("/api/v1/services");
    expect(services).toMatchObject([
      { service: "a", lastSeenAt: "1970-01-01T00:00:00.000000000Z" },
    ]);
  });

  test("steps are asked for where something was told of the transaction", async () => {
    reader.summary = { ...SUMMARY, events: 2 };
    const attributes = { "event.name": "clew.transaction.step", "clew.transaction.step": "pack" };
    reader.pages = [EMPTY, { ...EMPTY, items: [{ ...logRecord("e"), attributes }] }];
    const { steps } = await answerOf("/api/v1/transactions/order-1");
    expect(steps).toMatchObject([{ name: "pack", service: "orders", status: "done" }]);
    const asked = reader.asked.slice(0, 3);
    expect(asked).toMatchObject(["order-1", { kind: "span" }, { eventsOnly: true }]);
  });

  test("reports are among the logs for those who ask", async () => {
    for (const reports of ["", "?reports=0", "?reports=1"]) await ask(`/api/v1/logs${reports}`);
    const all = { limit: 100, order: "newest" };
    expect(reader.asked).toEqual([all, all, { ...all, withReports: true }]);
  });

  test("what Prometheus is to scrape, in the type it takes", async () => {
    const response = await ask("/sd/prometheus");
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual([TARGET]);
  });

  test("probes and metrics", async () => {
    expect((await ask("/healthz")).status).toBe(200);
    expect(await (await ask("/metrics")).text()).toBe("up 1\n");
    expect(await (await ask("/readyz")).json()).toMatchObject({ status: "ready" });
  });

  test.each<ErrorCode>(["BUS_DISK_FULL", "STORE_UNAVAILABLE", "INTERNAL"])(
    "not ready while a part says %s",
    async (code) => {
      reader.fault = new ClewError(code, "cannot write: no space");
      const response = await ask("/readyz");
      const told = code === "INTERNAL" ? "STORE_UNAVAILABLE" : code;
      expect(await expectProblem(response, told)).toBe("store: cannot write: no space");
    },
  );
});

describe("the web page", () => {
  test("tells how to build it where it is not built", async () => {
    const response = await ask("/");
    expect(await response.text()).toContain("npm run build");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  test("files with a hash are kept for ever, the index is asked for again", async () => {
    const folder = mkdtempSync(join(tmpdir(), "clew-query-server-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const dir = join(folder, "dist");
    mkdirSync(dir);
    mkdirSync(join(dir, "assets"));
    writeFileSync(join(dir, "index.html"), "<html>clew</html>");
    writeFileSync(join(dir, "assets", "index-abc123.js"), "run()");
    writeFileSync(join(folder, "clew-secret.txt"), "secret");
    parts = { ...parts, pageDir: dir };
    const script = await ask("/assets/index-abc123.js");
    expect(script.headers.get("cache-control")).toContain("immutable");
    expect(script.headers.get("content-type")).toContain("text/javascript");
    for (const path of ["/", "/transaction/order-1", "/transaction/order.1/x", "/index.html"]) {
      const page = await ask(path);
      expect(await page.text()).toBe("<html>clew</html>");
      expect(page.headers.get("cache-control")).toBe("no-cache");
      expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
      const etag = page.headers.get("etag") ?? "";
      expect((await ask(path, { headers: { "if-none-match": etag } })).status).toBe(304);
    }
    for (const path of ["/..%2fclew-secret.txt", "/assets/..%2f..%2fclew-secret.txt", "/%00.js"]) {
      const response = await ask(path);
      expect(response.status).toBe(404);
    }
  });
});

describe("listening", () => {
  const servers: QueryServer[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  test("stops twice, and before it was started", async () => {
    const server = new QueryServer(parts);
    await server.stop();
    await server.stop();
  });

  test("a port that is taken is named with its variable", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    parts = { ...parts, config: { ...parts.config, port } };
    const starting = new QueryServer(parts).start();
    await expect(starting).rejects.toMatchObject({ code: "PORT_IN_USE" });
    await expect(starting).rejects.toThrow(`port ${port}; set ${VARIABLE.port}`);
    other.close();
  });

  test("an address this machine does not have is a wrong setting", async () => {
    parts = { ...parts, config: { ...parts.config, host: "192.0.2.1" } };
    await expect(new QueryServer(parts).start()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  test("ends live tails when it stops", async () => {
    const server = new QueryServer(parts);
    servers.push(server);
    const { port } = await server.start();
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/logs/tail`);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const text = response.text();
    await vi.waitFor(() => expect(reader.asked).toHaveLength(1));
    await server.stop();
    expect(await text).toContain("retry: ");
  });
});
