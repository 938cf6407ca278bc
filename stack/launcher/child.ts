import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Environment } from "../config.ts";
import { StackError } from "../errors.ts";

export interface ChildRequest {
  readonly name: string;
  /** Arguments of `node`. */
  readonly args: readonly string[];
  readonly env: Environment;
  /** Takes what the process writes; replaced at each start unless `isLogKept`. */
  readonly logFile: string;
  readonly isLogKept?: boolean;
  readonly onEvent?: (event: ChildEvent) => void;
  readonly onErrorLine?: (line: string) => void;
}

/** A JSON line with an `event` on the process's stdout. */
export interface ChildEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const READY_DEADLINE_MS = 30_000;
/** Longer than the collector gives itself. */
const STOP_DEADLINE_MS = 20_000;
/** One line is told as it is; that there were more is all one needs to know else. */
const ERROR_LINES_MAX = 2;
const END_WITH_PARENT = new URL("./end-with-parent.ts", import.meta.url).href;

/**
 * A Node process the launcher started. It has a process group of its own, so that Ctrl-C reaches
 * the launcher alone, which then ends its children in order; and it ends when the launcher is gone.
 */
export class Child {
  readonly name: string;
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #log: WriteStream;
  readonly #ready = Promise.withResolvers<ChildEvent>();
  readonly #errorLines: string[] = [];
  #isReady = false;
  #isStopping = false;

  constructor(request: ChildRequest) {
    this.name = request.name;
    this.#log = createWriteStream(request.logFile, { flags: request.isLogKept ? "a" : "w" });
    this.#process = spawn(process.execPath, ["--import", END_WITH_PARENT, ...request.args], {
      env: { ...request.env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.exited = this.#watchExit(request.logFile);
    this.#ready.promise.then(
      () => {
        this.#isReady = true;
      },
      () => undefined, // `ready` tells it to whoever asks.
    );
    this.#readOutput(request);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** It was ready, and nobody asked it to end. */
  get isExpectedToRun(): boolean {
    return this.#isReady && !this.#isStopping;
  }

  /**
   * Its `{"event":"ready"}` line.
   * @throws StackError PROCESS_DIED where it ended instead: with the one line it wrote to stderr,
   * which is meant for people, or where to read more.
   */
  async ready(): Promise<ChildEvent> {
    const deadline = setTimeout(() => {
      const reason = `it was not ready after ${READY_DEADLINE_MS / 1000} s`;
      this.#ready.reject(new StackError("PROCESS_DIED", `cannot start ${this.name}: ${reason}`));
    }, READY_DEADLINE_MS);
    try {
      return await this.#ready.promise;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** SIGTERM, and SIGKILL at the deadline; resolves once it is gone; false: it had to be killed. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    this.#process.kill("SIGTERM");
    let isInTime = true;
    const deadline = setTimeout(() => {
      isInTime = false;
      this.kill();
    }, STOP_DEADLINE_MS);
    await this.exited;
    clearTimeout(deadline);
    return isInTime;
  }

  kill(): void {
    this.#isStopping = true;
    this.#process.kill("SIGKILL");
  }

  #watchExit(logFile: string): Promise<Exit> {
    return new Promise((resolve) => {
      this.#process.once("error", (error) => {
        this.#errorLines.push(`cannot start ${this.name}: ${error.message}`);
      });
      // "close" comes after the last output was read.
      this.#process.once("close", (code, signal) => {
        this.#log.end();
        const [onlyLine, another] = this.#errorLines;
        const why = `it ended with ${signal ?? `exit code ${code}`}, see ${logFile}`;
        const isTold = onlyLine !== undefined && another === undefined;
        const message = isTold ? onlyLine : `cannot start ${this.name}: ${why}`;
        this.#ready.reject(new StackError("PROCESS_DIED", message));
        resolve({ code, signal });
      });
    });
  }

  #readOutput(request: ChildRequest): void {
    const { stdout, stderr } = this.#process;
    if (!stdout || !stderr) return;
    stdout.pipe(this.#log, { end: false });
    stderr.pipe(this.#log, { end: false });
    createInterface({ input: stdout }).on("line", (line) => {
      const event = parseEvent(line);
      if (event?.event === "ready") this.#ready.resolve(event);
      else if (event) request.onEvent?.(event);
    });
    createInterface({ input: stderr }).on("line", (line) => {
      if (this.#errorLines.length < ERROR_LINES_MAX) this.#errorLines.push(line);
      request.onErrorLine?.(line);
    });
  }
}

/** Most lines are logs, which are no events: a line is parsed only where it begins like one. */
function parseEvent(line: string): ChildEvent | undefined {
  if (!line.startsWith('{"event":"')) return undefined;
  try {
    return JSON.parse(line) as ChildEvent;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
