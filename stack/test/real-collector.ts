import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { QueryApi } from "./query-api.ts";

const PROGRAM = join(import.meta.dirname, "../../collector/bin/clew.js");
const READY_DEADLINE_MS = 30_000;

interface Ports {
  readonly port: number;
  /** These two without the role `ingest`: none. */
  readonly otlpHttpPort?: number;
  readonly otlpGrpcPort?: number;
  /** Without the role `query`: none. */
  readonly jaegerPort?: number;
  readonly syslogPort?: number;
}

/** `clew serve` in a process of its own, on free ports, with a fresh data folder. */
export class RealCollector {
  readonly #dataDir = mkdtempSync(join(tmpdir(), "clew-collector-"));
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #ports: Ports = { port: 0, otlpHttpPort: 0, otlpGrpcPort: 0 };

  private constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  /** @param env more variables, as `CLEW_RETENTION_DAYS` */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<RealCollector> {
    const collector = new RealCollector(env);
    await collector.resume();
    return collector;
  }

  get otlpUrl(): string {
    return `http://127.0.0.1:${this.#ports.otlpHttpPort}`;
  }

  get otlpGrpcUrl(): string {
    return `http://127.0.0.1:${this.#ports.otlpGrpcPort}`;
  }

  /** NaN where `CLEW_SYSLOG_PORT` was not set. */
  get syslogPort(): number {
    return this.#ports.syslogPort ?? Number.NaN;
  }

  /** NaN without the role `query`. */
  get jaegerPort(): number {
    return this.#ports.jaegerPort ?? Number.NaN;
  }

  get queryUrl(): string {
    return `http://127.0.0.1:${this.#ports.port}`;
  }

  get api(): QueryApi {
    return new QueryApi(this.#ports.port);
  }

  /** Starts it again after `halt`, with the same ports and data. */
  async resume(): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM, "serve", "--json"], {
      env: {
        PATH: process.env.PATH,
        CLEW_PORT: String(this.#ports.port),
        CLEW_OTLP_HTTP_PORT: String(this.#ports.otlpHttpPort ?? 0),
        CLEW_OTLP_GRPC_PORT: String(this.#ports.otlpGrpcPort ?? 0),
        CLEW_JAEGER_PORT: String(this.#ports.jaegerPort ?? 0),
        CLEW_DATA_DIR: this.#dataDir,
        ...this.#env,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    if (child.stdout === null) throw new Error("cannot read the collector: it has no pipe");
    const lines = createInterface({ input: child.stdout });
    const signal = AbortSignal.timeout(READY_DEADLINE_MS);
    const [line] = await once(lines, "line", { signal });
    this.#ports = JSON.parse(String(line)) as Ports;
  }

  /** Ends it, by default as `kill -9` does; data and ports are kept for `resume`. */
  async halt(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Ends it for good and deletes its data. */
  async stop(): Promise<void> {
    await this.halt("SIGINT");
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}
