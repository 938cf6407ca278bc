import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type BackendsConfig, readBackendsConfig, readLaunchConfig } from "../config.ts";
import { StackError } from "../errors.ts";
import { freePorts } from "./free-ports.ts";

const READY_DEADLINE_MS = 30_000;
const PROBE_DEADLINE_MS = 1000;
const PROBE_EVERY_MS = 20;
const STOP_DEADLINE_MS = 15_000;
const TOLD_CHARACTERS_MAX = 2000;
const OUTPUT_FILE = "output.log";

export interface YamlServerOptions {
  /** For messages: "the OpenTelemetry Collector". */
  readonly name: string;
  /** Its program, built where it is not there yet. */
  readonly program: (cacheDir: string) => Promise<string>;
  /** Configuration of our own: it answers 200 at this port once it is ready. */
  readonly ownConfig: (healthPort: number) => string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A server made of the parts of the OpenTelemetry Collector, and configured as that is. */
export class YamlServer {
  readonly #options: YamlServerOptions;
  readonly #config: BackendsConfig;
  #folder: string | undefined;
  #process: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #failure = "";

  constructor(options: YamlServerOptions, config: BackendsConfig = readBackendsConfig()) {
    this.#options = options;
    this.#config = config;
  }

  /** @throws StackError BACKEND_UNAVAILABLE while it does not run. */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw this.#unavailable("it does not run");
    return pid;
  }

  /**
   * Resolves once every part of every pipeline has started.
   * @param yaml what is laid over our own configuration. Such a server cannot be given port 0, so
   * ports come from `freePorts`.
   * @throws StackError BACKEND_UNAVAILABLE with the end of what it said.
   */
  async start(yaml: string): Promise<void> {
    const program = await this.#options.program(this.#config.cacheDir);
    const [healthPort] = (await freePorts(1)) as readonly [number];
    this.#folder = await mkdtemp(join(tmpdir(), "clew-yaml-server-"));
    const ours = join(this.#folder, "ours.yaml");
    const yours = join(this.#folder, "yours.yaml");
    await writeFile(ours, this.#options.ownConfig(healthPort));
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
      env: { ...readLaunchConfig().inherited, ...this.#options.env },
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
      if (!this.#process) throw this.#unavailable(`it ended: ${await this.#lastOutput()}`);
      if (performance.now() > endMs)
        throw this.#unavailable(`no answer: ${await this.#lastOutput()}`);
      await delay(PROBE_EVERY_MS);
    }
  }

  async #lastOutput(): Promise<string> {
    return `${this.#failure}${await this.output()}`.slice(-TOLD_CHARACTERS_MAX);
  }

  #unavailable(reason: string): StackError {
    return new StackError("BACKEND_UNAVAILABLE", `cannot run ${this.#options.name}: ${reason}`);
  }
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
