import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type BackendsConfig, readBackendsConfig } from "../config.ts";
import { StackError } from "../errors.ts";
import { freePorts } from "./free-ports.ts";
import { otelCollectorProgram } from "./otel-collector-program.ts";
import { hasPrograms } from "./required-programs.ts";

const READY_DEADLINE_MS = 30_000;
const PROBE_DEADLINE_MS = 1000;
const PROBE_EVERY_MS = 20;
const STOP_DEADLINE_MS = 15_000;
const TOLD_CHARACTERS_MAX = 2000;
const OUTPUT_FILE = "output.log";

/** Whether the real OpenTelemetry Collector can be built here; else as `hasPrograms`. */
export function requireGo(skipped: string, config: BackendsConfig = readBackendsConfig()): boolean {
  const toInstall = "Go (and util-linux, on Linux)";
  return hasPrograms(
    skipped,
    [
      { command: ["go", "version"], toInstall },
      { command: ["setpriv", "--version"], toInstall },
    ],
    config,
  );
}

/**
 * The real OpenTelemetry Collector, with the parts that bench/peers/receive/builder.yaml names:
 * receivers `otlp` and `kafka`; processor `batch`; exporters `debug`, `nop`, `otlp_grpc`,
 * `otlp_http`, `file`, `kafka` and `elasticsearch`.
 */
export class OtelCollector {
  readonly #config: BackendsConfig;
  #folder: string | undefined;
  #process: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #failure = "";

  constructor(config: BackendsConfig = readBackendsConfig()) {
    this.#config = config;
  }

  /** @throws StackError BACKEND_UNAVAILABLE while it does not run. */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw unavailable("it does not run");
    return pid;
  }

  /**
   * Resolves once every part of every pipeline has started. Its own metrics are off and it logs
   * warnings only, unless `yaml` says otherwise.
   *
   * @param yaml receivers, processors, exporters and `service.pipelines`. It cannot be given port
   * 0, so ports come from `freePorts`; `service.extensions` is ours.
   * @throws StackError BACKEND_UNAVAILABLE with the end of what it said.
   */
  async start(yaml: string): Promise<void> {
    const program = await otelCollectorProgram(this.#config.cacheDir);
    const [healthPort] = (await freePorts(1)) as readonly [number];
    this.#folder = await mkdtemp(join(tmpdir(), "clew-otel-collector-"));
    const ours = join(this.#folder, "ours.yaml");
    const yours = join(this.#folder, "yours.yaml");
    await writeFile(ours, ownConfig(healthPort));
    await writeFile(yours, yaml);
    try {
      // Maps of later files are laid over those of earlier ones.
      this.#spawn([program, "--config", ours, "--config", yours], this.#folder);
      await this.#untilReady(healthPort);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** What it wrote so far: its log, and what the `debug` exporter prints. */
  async output(): Promise<string> {
    if (this.#folder === undefined) return "";
    return readFile(join(this.#folder, OUTPUT_FILE), "utf8");
  }

  /** As an orchestrator ends it, so that it sends what it has; killed where that takes long. */
  async stop(): Promise<void> {
    const deadline = setTimeout(() => this.kill(), STOP_DEADLINE_MS);
    this.#process?.kill("SIGTERM");
    await this.#exited;
    clearTimeout(deadline);
    if (this.#folder === undefined) return;
    await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  /** At once, with what it has in memory; `stop` still clears up. */
  kill(): void {
    this.#process?.kill("SIGKILL");
  }

  #spawn(command: readonly string[], folder: string): void {
    const log = openSync(join(folder, OUTPUT_FILE), "a");
    // The kernel kills it when we are gone, however we went.
    const collector = spawn("setpriv", ["--pdeathsig", "KILL", ...command], {
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    this.#process = collector;
    this.#exited = new Promise((resolve) => {
      collector.once("error", (cause) => {
        this.#failure = cause.message;
        this.#process = undefined;
        resolve();
      });
      collector.once("exit", () => {
        this.#process = undefined;
        resolve();
      });
    });
  }

  async #untilReady(healthPort: number): Promise<void> {
    const endMs = performance.now() + READY_DEADLINE_MS;
    while (!(await isHealthy(healthPort))) {
      if (!this.#process) throw unavailable(`it ended: ${await this.#lastOutput()}`);
      if (performance.now() > endMs) throw unavailable(`no answer: ${await this.#lastOutput()}`);
      await delay(PROBE_EVERY_MS);
    }
  }

  async #lastOutput(): Promise<string> {
    return `${this.#failure}${await this.output()}`.slice(-TOLD_CHARACTERS_MAX);
  }
}

function ownConfig(healthPort: number): string {
  return `extensions: {health_check: {endpoint: "127.0.0.1:${healthPort}"}}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
`;
}

/** 200 once its pipelines run, 503 before. */
async function isHealthy(port: number): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PROBE_DEADLINE_MS);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    // Nobody listens yet, or it does not answer: asked again until the deadline.
    return false;
  }
}

function unavailable(reason: string): StackError {
  return new StackError("BACKEND_UNAVAILABLE", `cannot run the OpenTelemetry Collector: ${reason}`);
}
