/** Real processes around `clew ship`: who writes the lines, and who ships them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, vi } from "vitest";

const CLEW = join(import.meta.dirname, "../../collector/bin/clew.js");
const WRITER = join(import.meta.dirname, "log-writer-program.ts");
const WAIT = { timeout: 30_000, interval: 10 };

const OUTPUT_CHARS_KEPT = 1000;

/** A daemon that writes numbered lines to a log file. */
export class LogWriter {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = "";

  constructor(request: { file: string; perSecond: number; mode?: "append" | "write" }) {
    const { file, perSecond, mode = "append" } = request;
    const args = [WRITER, file, String(perSecond), mode];
    this.child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#ended = once(this.child, "close");
    this.child.stdout?.on("data", (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_CHARS_KEPT);
    });
  }

  get lines(): number {
    return Number(this.#output.match(/\d+(?=\n(?:paused\n)*$)/)?.[0] ?? 0);
  }

  /** Resolves once so many lines more were written. */
  async writes(more: number): Promise<void> {
    const enough = this.lines + more;
    await vi.waitFor(() => expect(this.lines).toBeGreaterThanOrEqual(enough), WAIT);
  }

  /** Ends it; how many lines it wrote. */
  async stop(): Promise<number> {
    this.child.kill("SIGINT");
    await this.#ended;
    return this.lines;
  }

  async pause(): Promise<void> {
    this.child.kill("SIGUSR1");
    await vi.waitFor(() => expect(this.#output).toMatch(/paused\n$/), WAIT);
  }

  goOn(): void {
    this.child.kill("SIGUSR2");
  }
}

/** `clew ship` with these arguments; it can be killed and started again. */
export class Shipper {
  readonly #args: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  output = "";

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#args = args;
    this.#env = env;
  }

  async start(): Promise<void> {
    this.output = "";
    const child = spawn(process.execPath, [CLEW, "ship", ...this.#args], {
      env: { PATH: process.env.PATH, ...this.#env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#ended = once(child, "exit");
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    await this.says("following");
  }

  get exitCode(): number | null {
    return this.#child?.exitCode ?? null;
  }

  async says(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.output).toContain(text), WAIT);
  }

  /** By default as `kill -9` does. */
  async halt(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.#child === undefined || this.#child.exitCode !== null) return;
    if (this.#child.signalCode === null) this.#child.kill(signal);
    await this.#ended;
  }
}
