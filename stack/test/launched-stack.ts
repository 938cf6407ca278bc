import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { vi } from "vitest";
import { type Environment, readLaunchConfig, VARIABLE } from "../config.ts";

export const REPOSITORY = resolve(import.meta.dirname, "..", "..");
export const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 45_000;

export interface LaunchEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** A data folder of its own, deleted by `dispose`. */
export function freshDataDir(): { path: string; dispose: () => void } {
  const path = mkdtempSync(join(tmpdir(), "clew-stack-"));
  return { path, dispose: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** `npm start` as a person runs it: a process of its own, in a process group as of a terminal. */
export class LaunchedStack {
  readonly events: LaunchEvent[] = [];
  readonly dataDir: string;
  stdout = "";
  stderr = "";
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;

  constructor(request: { args: readonly string[]; dataDir: string; env?: Environment }) {
    this.dataDir = request.dataDir;
    this.#process = spawn("npm", ["start", "--", ...request.args], {
      cwd: REPOSITORY,
      detached: true,
      env: {
        ...freePortVariables(),
        ...request.env,
        [VARIABLE.dataDir]: request.dataDir,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = new Promise((resolve) => {
      this.#process.once("close", (code) => resolve(code));
    });
    const { stdout, stderr } = this.#process;
    if (!stdout || !stderr) throw new Error("cannot read what npm start writes: no pipes");
    createInterface({ input: stdout }).on("line", (line) => {
      this.stdout += `${line}\n`;
      if (line.startsWith('{"event":')) this.events.push(JSON.parse(line));
    });
    stderr.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
  }

  /** The first event of this name, once it was said. */
  waitFor(event: string, timeout: number = START_DEADLINE_MS): Promise<LaunchEvent> {
    const find = () => {
      const found = this.events.find((said) => said.event === event);
      if (found) return found;
      throw new Error(`cannot see "${event}" in:\n${this.stdout}\n${this.stderr}`);
    };
    return vi.waitFor(find, { timeout, interval: 20 });
  }

  /**
   * Ctrl-C: the terminal sends it to the whole process group. Answers whether the launcher said
   * that all ended in order; npm's own exit code says only that there was a Ctrl-C.
   */
  async interrupt(): Promise<boolean> {
    await this.signal("SIGINT");
    return /^(ended|\{"event":"stopped"\})$/m.test(this.stdout);
  }

  /** What was said on stderr, but for npm's own lines. */
  get errorLines(): readonly string[] {
    return this.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("npm "));
  }

  signal(signal: NodeJS.Signals): Promise<number | null> {
    process.kill(-this.pid, signal);
    return this.exited;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** For `afterEach`: whatever a test left running ends. */
  async dispose(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await this.interrupt();
    }
    await vi.waitFor(() => this.#killRest(), { timeout: STOP_DEADLINE_MS });
  }

  /** Processes that carry this stack's data folder in their environment: all it started. */
  processes(): readonly number[] {
    const mark = `${VARIABLE.dataDir}=${this.dataDir}\0`;
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.filter((pid) => environmentOf(pid).includes(mark)).map(Number);
  }

  #killRest(): void {
    const rest = this.processes();
    for (const pid of rest) process.kill(pid, "SIGKILL");
    if (rest.length > 0) throw new Error(`cannot go on: ${rest.length} processes were left`);
  }
}

/** Nothing of the test runner's own settings; every port is any free one. */
function freePortVariables(): Environment {
  const { webPort, otlpHttpPort, otlpGrpcPort, jaegerPort } = VARIABLE;
  const { ordersPort, paymentsPort, shippingPort } = VARIABLE;
  const ours = [webPort, otlpHttpPort, otlpGrpcPort, jaegerPort];
  const names = [...ours, ordersPort, paymentsPort, shippingPort];
  return {
    ...readLaunchConfig().inherited,
    ...Object.fromEntries(names.map((name) => [name, "0"])),
  };
}

/** A process that ended meanwhile, or is another user's, has none that we can read. */
function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return "";
    throw error;
  }
}
