/** A real collector process and OTLP/HTTP JSON requests, for tests of the page. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ATTRIBUTE } from "@clew/instrumentation/names";
import { vi } from "vitest";
import { VARIABLE } from "../src/config.ts";

const CLEW = fileURLToPath(new URL("../bin/clew.js", import.meta.url));
const START_MS_MAX = 20_000;
const STORED_MS_MAX = 20_000;

export interface SentLog {
  readonly id?: string;
  readonly service: string;
  readonly atMs: number;
  readonly text: string;
  readonly severity?: "INFO" | "WARN" | "ERROR";
  readonly spanId?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface SentSpan {
  readonly id: string;
  readonly service: string;
  readonly atMs: number;
  readonly durationMs: number;
  readonly name: string;
  /** OTLP SpanKind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly error?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SEVERITY_NUMBERS = { INFO: 9, WARN: 13, ERROR: 17 } as const;

export class CollectorProcess {
  readonly pageUrl: string;
  readonly #otlpUrl: string;
  readonly #child: ChildProcess;
  readonly #dataDir: string;
  readonly #token: string;

  private constructor(parts: {
    ready: { port: number; otlpHttpPort: number };
    child: ChildProcess;
    dataDir: string;
    token: string;
  }) {
    this.pageUrl = `http://127.0.0.1:${parts.ready.port}`;
    this.#otlpUrl = `http://127.0.0.1:${parts.ready.otlpHttpPort}`;
    this.#child = parts.child;
    this.#dataDir = parts.dataDir;
    this.#token = parts.token;
  }

  static async start({ token = "" } = {}): Promise<CollectorProcess> {
    const dataDir = await mkdtemp(join(tmpdir(), "clew-page-"));
    const child = spawn(process.execPath, [CLEW, "serve", "--json"], {
      env: {
        [VARIABLE.port]: "0",
        [VARIABLE.otlpHttpPort]: "0",
        [VARIABLE.otlpGrpcPort]: "0",
        [VARIABLE.jaegerPort]: "0",
        [VARIABLE.dataDir]: dataDir,
        [VARIABLE.queryTokens]: token,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const signal = AbortSignal.timeout(START_MS_MAX);
    for await (const line of createInterface({ input: child.stdout, signal })) {
      const event = JSON.parse(line) as { event: string; port: number; otlpHttpPort: number };
      if (event.event !== "ready") continue;
      child.stdout.resume();
      return new CollectorProcess({ ready: event, child, dataDir, token });
    }
    child.kill("SIGKILL");
    throw new Error(`cannot start the collector: not ready, exit code ${child.exitCode}`);
  }

  async sendLogs(logs: readonly SentLog[]): Promise<void> {
    const resourceLogs = logs.map((log) => ({
      resource: { attributes: attributes({ "service.name": log.service }) },
      scopeLogs: [{ scope: { name: "test" }, logRecords: [logRecord(log)] }],
    }));
    await this.#post("/v1/logs", { resourceLogs });
  }

  async sendSpans(spans: readonly SentSpan[]): Promise<void> {
    const resourceSpans = spans.map((span) => ({
      resource: { attributes: attributes({ "service.name": span.service }) },
      scopeSpans: [{ scope: { name: "test" }, spans: [spanMessage(span)] }],
    }));
    await this.#post("/v1/traces", { resourceSpans });
  }

  /** Resolves once the store has so many records of a transaction. */
  async waitForRecords(id: string, count: number): Promise<void> {
    const headers = this.#token === "" ? {} : { authorization: `Bearer ${this.#token}` };
    await vi.waitFor(
      async () => {
        const response = await fetch(`${this.pageUrl}/api/v1/transactions/${id}`, {
          headers,
          signal: AbortSignal.timeout(STORED_MS_MAX),
        });
        const { counts } = (await response.json()) as { counts?: { logs: number; spans: number } };
        const stored = (counts?.logs ?? 0) + (counts?.spans ?? 0);
        if (stored !== count) throw new Error(`${stored} of ${count} records of ${id} are stored`);
      },
      { timeout: STORED_MS_MAX, interval: 50 },
    );
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once("exit", resolve));
      this.#child.kill("SIGTERM");
      await ended;
    }
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async #post(path: string, body: object): Promise<void> {
    const response = await fetch(this.#otlpUrl + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(STORED_MS_MAX),
    });
    if (response.status !== 200) {
      throw new Error(`cannot send: ${response.status} ${await response.text()}`);
    }
  }
}

function logRecord({ id, atMs, text, severity = "INFO", spanId, attributes: given = {} }: SentLog) {
  return {
    timeUnixNano: unixNano(atMs),
    severityText: severity,
    severityNumber: SEVERITY_NUMBERS[severity],
    body: { stringValue: text },
    attributes: attributes({ ...given, ...(id ? { [ATTRIBUTE.transactionId]: id } : {}) }),
    ...(spanId ? { traceId: TRACE_ID, spanId } : {}),
  };
}

function spanMessage(span: SentSpan) {
  return {
    traceId: TRACE_ID,
    spanId: span.spanId,
    ...(span.parentSpanId ? { parentSpanId: span.parentSpanId } : {}),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: unixNano(span.atMs),
    endTimeUnixNano: unixNano(span.atMs + span.durationMs),
    attributes: attributes({ ...span.attributes, [ATTRIBUTE.transactionId]: span.id }),
    ...(span.error ? { status: { code: 2, message: span.error } } : {}),
  };
}

function attributes(values: Readonly<Record<string, string>>) {
  return Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

function unixNano(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}
