import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const ANSWER_DEADLINE_MS = 60_000;
/** OpenTelemetry sends what it has at SIGTERM, and then does not end the process. */
const STOP_DEADLINE_MS = 2000;
const COMPLAINT_CHARACTERS_MAX = 2000;

export interface ProgramOptions {
  readonly program: string;
  readonly nodeArgs?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Whether it calls `process.exit` when it is told "end": profiles are written only then. */
  readonly endsWhenTold?: boolean;
  /** The one processor it runs on, where the machine has more; undefined: any. */
  readonly processor: number | undefined;
}

/** A program of the bench in a process of its own, spoken to over IPC. */
export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #program: string;
  readonly #endsWhenTold: boolean;
  #complaints = "";

  constructor(options: ProgramOptions) {
    const { program, nodeArgs = [], env, cwd, processor } = options;
    const command = [process.execPath, ...nodeArgs, program];
    const pinned = processor === undefined ? [] : ["taskset", "-c", String(processor)];
    const [first = "", ...rest] = [...pinned, ...command];
    this.#program = program;
    this.#endsWhenTold = options.endsWhenTold === true;
    this.#child = spawn(first, rest, {
      env,
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-COMPLAINT_CHARACTERS_MAX);
    });
  }

  /** What it wrote on stderr, the end of it. */
  get complaints(): string {
    return this.#complaints;
  }

  /** Sends a message, where there is one, and waits for the field of an answer. */
  async ask<T>(field: string, message?: object | string): Promise<T> {
    const signal = AbortSignal.timeout(ANSWER_DEADLINE_MS);
    const ended = new AbortController();
    const onExit = () => ended.abort(new Error(this.#endedText()));
    this.#child.once("exit", onExit);
    this.#child.once("error", onExit);
    try {
      if (message !== undefined) this.#child.send(message);
      const either = AbortSignal.any([signal, ended.signal]);
      for (;;) {
        const [answer] = await once(this.#child, "message", { signal: either });
        if (typeof answer === "object" && answer !== null && field in answer) {
          return answer[field] as T;
        }
      }
    } catch (cause) {
      throw new Error(`cannot go on: ${this.#program} gave no ${field}: ${this.#complaints}`, {
        cause,
      });
    } finally {
      this.#child.removeListener("exit", onExit);
      this.#child.removeListener("error", onExit);
    }
  }

  /** Ends it as an orchestrator does, so that all is sent; kills it where it does not end. */
  async stop(): Promise<void> {
    await this.#end(this.#endsWhenTold ? "end" : "SIGTERM");
    await this.#end("SIGKILL");
  }

  /** Ends it at once: nothing that it still has is of interest. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(by: "end" | "SIGTERM" | "SIGKILL"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const deadline = AbortSignal.timeout(STOP_DEADLINE_MS);
    const exited = once(this.#child, "exit", { signal: deadline });
    if (by === "end") this.#child.send(by);
    else this.#child.kill(by);
    await exited.catch((error) => {
      if (!deadline.aborted) throw error;
    });
  }

  #endedText(): string {
    return `the process ended with ${this.#child.exitCode ?? this.#child.signalCode}`;
  }
}
