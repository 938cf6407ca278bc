import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { collectorEnvironment } from "./config.ts";

export const PROGRAM = join(import.meta.dirname, "../../collector/bin/clew.js");
const READY_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 60_000;
const ANSWER_DEADLINE_MS = 10_000;

export interface Addresses {
  readonly queryUrl: string;
  /** Empty where it has no such port, as without the role "ingest". */
  readonly otlpUrl: string;
  /** 0 where it has no such port. */
  readonly otlpGrpcPort: number;
}

export interface CollectorProcessOptions {
  /** Options of the runtime, as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** Started in place of `clew serve`, and as it told what to do and tells its ports. */
  readonly program?: string;
  /** Variables of the environment beside those that every collector of a bench is given. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The collector as users start it, in a process of its own, with ports that were free. */
export class CollectorProcess {
  readonly pid: number;
  readonly addresses: Addresses;
  /** From the start of the process until it said that it is ready. */
  readonly readyMs: number;
  readonly #child: ChildProcess;

  /** @throws Error with what it wrote, where it is not ready in time. */
  static async start(
    dataDir: string,
    { nodeArgs = [], program = PROGRAM, settings = {} }: CollectorProcessOptions = {},
  ): Promise<CollectorProcess> {
    const startedMs = performance.now();
    const child = spawn(process.execPath, [...nodeArgs, program, "serve", "--json"], {
      env: { ...collectorEnvironment(dataDir), ...settings },
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    try {
      const addresses = await readyAddresses(child);
      const readyMs = performance.now() - startedMs;
      return new CollectorProcess({ child, addresses, readyMs });
    } catch (cause) {
      child.kill("SIGKILL");
      throw new Error("cannot start the collector", { cause });
    }
  }

  private constructor(parts: { child: ChildProcess; addresses: Addresses; readyMs: number }) {
    const { pid } = parts.child;
    if (pid === undefined) throw new Error("cannot start the collector: it has no process id");
    this.pid = pid;
    this.#child = parts.child;
    this.addresses = parts.addresses;
    this.readyMs = parts.readyMs;
  }

  /** Asks what was loaded into it by `--import`: answers the field of that name. */
  async ask<T>(question: string): Promise<T> {
    const signal = AbortSignal.timeout(ANSWER_DEADLINE_MS);
    const answered = once(this.#child, "message", { signal });
    this.#child.send(question);
    const [answer] = await answered;
    if (typeof answer === "object" && answer !== null && question in answer) {
      return answer[question] as T;
    }
    throw new Error(`cannot use the collector's answer to ${question}: ${JSON.stringify(answer)}`);
  }

  /** Ends it as Ctrl-C does. @throws Error where it does not end in time; it is killed then. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit", { signal: AbortSignal.timeout(STOP_DEADLINE_MS) });
    this.#child.kill("SIGINT");
    try {
      await exited;
    } catch (cause) {
      this.#child.kill("SIGKILL");
      throw new Error("cannot stop the collector: it did not end in time", { cause });
    }
  }
}

/** Its first event is `{"event":"ready","port":…,"otlpHttpPort":…}`. */
async function readyAddresses(child: ChildProcess): Promise<Addresses> {
  if (!child.stdout) throw new Error("cannot read what the collector writes: no pipe");
  const lines = createInterface({ input: child.stdout });
  const signal = AbortSignal.timeout(READY_DEADLINE_MS);
  const ended = once(child, "exit", { signal }).then(([code]) => {
    throw new Error(`cannot go on: the collector ended with exit code ${code}`);
  });
  const line = once(lines, "line", { signal }).then(([text]) => String(text));
  const event: unknown = JSON.parse(await Promise.race([line, ended]));
  // The exit at the end of the bench is no news any more.
  ended.catch(() => undefined);
  return parseReady(event);
}

function parseReady(event: unknown): Addresses {
  if (typeof event === "object" && event !== null && "port" in event) {
    return {
      queryUrl: `http://127.0.0.1:${event.port}`,
      otlpUrl: "otlpHttpPort" in event ? `http://127.0.0.1:${event.otlpHttpPort}` : "",
      otlpGrpcPort: "otlpGrpcPort" in event ? Number(event.otlpGrpcPort) : 0,
    };
  }
  throw new Error(`cannot use the collector: its first event is ${JSON.stringify(event)}`);
}
