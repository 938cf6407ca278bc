import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface AppOptions {
  /** The program, as an ES module unless `args` say otherwise. */
  readonly code: string;
  /** The collector's base URL. */
  readonly endpoint: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Node's arguments, by default the one line that users are told. */
  readonly args?: readonly string[];
  /** What is run, by default Node. */
  readonly program?: string;
}

export interface AppEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const REGISTER = ["--import", "@clew/instrumentation/register"];

/** A service in a process of its own, as users run it. */
export class App {
  readonly child: ChildProcess;
  readonly ended: Promise<AppEnd>;
  /** Made when first asked for: an iterator that nobody reads would stop the app's output. */
  #lines: AsyncIterator<string> | undefined;

  constructor(options: AppOptions) {
    // Its own, so that it does not deliver what another test's app left behind.
    const spool = mkdtempSync(join(tmpdir(), "clew-app-spool-"));
    const args = options.args ?? [...REGISTER, "--input-type=module"];
    this.child = spawn(options.program ?? process.execPath, [...args, "-e", options.code], {
      cwd: import.meta.dirname,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        OTEL_SERVICE_NAME: "test-app",
        OTEL_EXPORTER_OTLP_ENDPOINT: options.endpoint,
        CLEW_SPOOL_DIR: spool,
        // Tests run side by side: the usual port may be another's, which is said on stderr.
        CLEW_METRICS_PORT: "0",
        ...options.env,
      },
    });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error("cannot read the app: no pipes");
    const printed: string[] = [];
    const complaints: string[] = [];
    // Decoded as a stream: a character may be cut in two between chunks.
    stdout.setEncoding("utf8").on("data", (chunk: string) => printed.push(chunk));
    stderr.setEncoding("utf8").on("data", (chunk: string) => complaints.push(chunk));
    this.ended = once(this.child, "close").then(([code, signal]) => {
      rmSync(spool, { recursive: true, force: true });
      return { code, signal, stdout: printed.join(""), stderr: complaints.join("") };
    });
  }

  /** The next line it prints, parsed as JSON. */
  async nextJson<T>(): Promise<T> {
    const { stdout } = this.child;
    if (stdout === null) throw new Error("cannot read the app: it has no pipe");
    this.#lines ??= createInterface({ input: stdout })[Symbol.asyncIterator]();
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`the app ended: ${(await this.ended).stderr}`);
    return JSON.parse(value) as T;
  }
}

/** Runs a program to its end. */
export function runApp(options: AppOptions): Promise<AppEnd> {
  return new App(options).ended;
}
