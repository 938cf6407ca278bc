import { join } from "node:path";
import { type Environment, VARIABLE } from "../config.ts";
import { StackError } from "../errors.ts";
import type { Announcer } from "./announcer.ts";
import { Child } from "./child.ts";

export interface CollectorAddress {
  readonly pid: number;
  readonly port: number;
  readonly otlpHttpPort: number;
  readonly otlpGrpcPort: number;
  readonly jaegerPort: number;
}

export interface SupervisedCollectorRequest {
  readonly env: Environment;
  readonly logFolder: string;
  readonly announcer: Announcer;
}

const COLLECTOR = join(import.meta.dirname, "..", "..", "collector", "bin", "clew.js");
/** More deaths than this in a row are a fault that starting again does not mend. */
const RESTARTS_MAX = 5;
const RESTARTS_WINDOW_MS = 60_000;

/** The collector, started again on the same data and ports where it dies. */
export class SupervisedCollector {
  /** Rejects where the collector is gone for good without having been asked to end. */
  readonly failed: Promise<never>;
  readonly #request: SupervisedCollectorRequest;
  readonly #failure = Promise.withResolvers<never>();
  #child: Child | undefined;
  #address: CollectorAddress | undefined;
  #restartTimesMs: number[] = [];
  #isStopping = false;

  constructor(request: SupervisedCollectorRequest) {
    this.#request = request;
    this.failed = this.#failure.promise;
    // Whoever waits for it hears of it; nobody need wait.
    this.failed.catch(() => undefined);
  }

  /** @throws StackError PROCESS_DIED with the collector's own last line, as for a port in use. */
  async start(): Promise<CollectorAddress> {
    const child = this.#spawn();
    const { port, otlpHttpPort, otlpGrpcPort, jaegerPort } = await child.ready();
    this.#address = {
      pid: child.pid,
      port: Number(port),
      otlpHttpPort: Number(otlpHttpPort),
      otlpGrpcPort: Number(otlpGrpcPort),
      jaegerPort: Number(jaegerPort),
    };
    void child.exited.then(({ code, signal }) => this.#revive(signal ?? `exit code ${code}`));
    return this.#address;
  }

  /** Resolves once everything received is stored and the process is gone; false: it was killed. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    return (await this.#child?.stop()) ?? true;
  }

  kill(): void {
    this.#isStopping = true;
    this.#child?.kill();
  }

  #spawn(): Child {
    const { env, logFolder, announcer } = this.#request;
    const logFile = join(logFolder, "collector.log");
    const relay = (line: string) => announcer.relay({ name: "collector", line, logFile });
    this.#child = new Child({
      name: "collector",
      args: [COLLECTOR, "serve", "--json"],
      env: { ...env, ...this.#fixedPorts() },
      logFile,
      isLogKept: this.#address !== undefined,
      onEvent: ({ event, message }) => {
        if (event === "warning") relay(String(message));
      },
      onErrorLine: (line) => {
        // A collector that cannot start is told of by `start`, in its own line.
        if (this.#address) relay(line);
      },
    });
    return this.#child;
  }

  /** Port 0 is any port the first time; afterwards the services know which one it was. */
  #fixedPorts(): Environment {
    if (!this.#address) return {};
    return {
      [VARIABLE.webPort]: String(this.#address.port),
      [VARIABLE.otlpHttpPort]: String(this.#address.otlpHttpPort),
      [VARIABLE.otlpGrpcPort]: String(this.#address.otlpGrpcPort),
      [VARIABLE.jaegerPort]: String(this.#address.jaegerPort),
    };
  }

  async #revive(why: string): Promise<void> {
    if (this.#isStopping) return;
    const nowMs = Date.now();
    this.#restartTimesMs = this.#restartTimesMs.filter((ms) => nowMs - ms < RESTARTS_WINDOW_MS);
    this.#restartTimesMs.push(nowMs);
    if (this.#restartTimesMs.length > RESTARTS_MAX) {
      const times = this.#restartTimesMs.length;
      const message = `cannot keep the collector running: it died ${times} times (${why})`;
      return this.#failure.reject(new StackError("PROCESS_DIED", message));
    }
    const { announcer } = this.#request;
    const text = `the collector died (${why}): starting it again on the same data`;
    announcer.say({ event: "collector-died", text, data: { why } });
    try {
      const address = await this.start();
      const data = { ...address };
      announcer.say({ event: "collector-restarted", text: "the collector is back", data });
    } catch (error) {
      if (!this.#isStopping) this.#failure.reject(error);
    }
  }
}
