import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StackError } from "../errors.ts";
import { hasPrograms } from "./required-programs.ts";

/** How one of Debian's log daemons is started in a folder of its own. */
export interface DebianServerPlan {
  readonly name: string;
  /** The port of the loopback on which it takes lines; an answer there means that it is ready. */
  readonly inputPort: number;
  readonly config: (folder: string) => string;
  readonly command: (folder: string, configFile: string) => readonly [string, ...string[]];
  readonly libraryFolders: readonly string[];
}

const READY_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;
const PROBE_EVERY_MS = 20;
const TOLD_CHARACTERS_MAX = 2_000;

/** Whether Debian's programs can be fetched and run here; else as `hasPrograms`. */
export function requireDebian(skipped: string): boolean {
  const toInstall = "Debian's apt, dpkg and util-linux, on Linux";
  return hasPrograms(skipped, [
    { command: ["apt-get", "--version"], toInstall },
    { command: ["dpkg", "--version"], toInstall },
    { command: ["setpriv", "--version"], toInstall },
    { command: ["logger", "--version"], toInstall },
  ]);
}

/**
 * A log daemon on a free port of the loopback, in a folder that `stop` deletes. Whoever has a line
 * to log gives it to `send`; where it goes from there is what its configuration says.
 */
export class DebianServer {
  readonly #plan: DebianServerPlan;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(plan: DebianServerPlan, folder: string) {
    this.#plan = plan;
    this.#folder = folder;
    const log = openSync(join(folder, "output.log"), "a");
    const command = plan.command(folder, join(folder, "server.conf"));
    // The kernel kills it when we are gone, however we went.
    this.#process = spawn("setpriv", ["--pdeathsig", "KILL", ...command], {
      stdio: ["ignore", log, log],
      env: { PATH: "/usr/bin:/bin", LD_LIBRARY_PATH: plan.libraryFolders.join(":") },
    });
    closeSync(log);
  }

  /** @throws StackError BACKEND_UNAVAILABLE with the end of what it wrote. */
  static async start(plan: DebianServerPlan): Promise<DebianServer> {
    const folder = await mkdtemp(join(tmpdir(), `clew-${plan.name}-`));
    await writeFile(join(folder, "server.conf"), plan.config(folder));
    const server = new DebianServer(plan, folder);
    await server.#becomeReady();
    return server;
  }

  get inputPort(): number {
    return this.#plan.inputPort;
  }

  /** Gives it lines; resolves once it has read them all, which it says by closing in its turn. */
  async send(lines: readonly string[]): Promise<void> {
    const socket = connect(this.#plan.inputPort, "127.0.0.1");
    const closed = once(socket, "close");
    socket.end(lines.map((line) => `${line}\n`).join(""));
    socket.resume();
    await closed;
  }

  /** What it said of itself. */
  output(): Promise<string> {
    return readFile(join(this.#folder, "output.log"), "utf8");
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    if (this.#isRunning) {
      const exited = once(this.#process, "exit");
      const deadline = setTimeout(() => this.#process.kill("SIGKILL"), STOP_DEADLINE_MS);
      this.#process.kill("SIGTERM");
      await exited;
      clearTimeout(deadline);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async #becomeReady(): Promise<void> {
    const endMs = performance.now() + READY_DEADLINE_MS;
    while (!(await isListening(this.#plan.inputPort))) {
      if (this.#isRunning && performance.now() < endMs) {
        await delay(PROBE_EVERY_MS);
        continue;
      }
      const output = (await this.output()).slice(-TOLD_CHARACTERS_MAX);
      await this.stop();
      const why = `cannot run ${this.#plan.name}: ${output}`;
      throw new StackError("BACKEND_UNAVAILABLE", why);
    }
  }
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => {
    socket.destroy();
    resolve(true);
  });
  socket.once("error", () => resolve(false));
  return promise;
}
