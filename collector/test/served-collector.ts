/** `clew` as processes of their own: a collector on free ports, and commands beside it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { VARIABLE } from "../src/config.ts";

const CLEW = join(import.meta.dirname, "..", "bin", "clew.js");
const READY_MS_MAX = 20_000;
const FREE_PORTS = Object.fromEntries(
  [VARIABLE.port, VARIABLE.otlpHttpPort, VARIABLE.otlpGrpcPort, VARIABLE.jaegerPort].map((name) => [
    name,
    "0",
  ]),
);

export type Environment = Record<string, string>;

export interface Served {
  /** Its first line. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly port: number;
  readonly otlpHttpPort: number;
  readonly otlpGrpcPort: number;
  /** For commands that talk to it. */
  readonly env: Environment;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const collectors: ChildProcess[] = [];

export async function serve(dataDir: string, env: Environment): Promise<Served> {
  const all = { ...FREE_PORTS, [VARIABLE.dataDir]: dataDir, ...env };
  const child = spawn(process.execPath, [CLEW, "serve", "--json"], {
    env: all,
    stdio: ["ignore", "pipe", "inherit"],
  });
  collectors.push(child);
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, "line", { signal: AbortSignal.timeout(READY_MS_MAX) });
  const ready = JSON.parse(String(line));
  const { port, otlpHttpPort, otlpGrpcPort } = ready;
  const own = { [VARIABLE.port]: `${port}`, [VARIABLE.otlpHttpPort]: `${otlpHttpPort}` };
  return { ready, port, otlpHttpPort, otlpGrpcPort, env: { ...env, ...own } };
}

export async function runCommand(
  args: readonly string[],
  env: Environment,
  input = "",
): Promise<CommandResult> {
  const child = spawn(process.execPath, [CLEW, ...args], { env, stdio: "pipe" });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code: typeof code === "number" ? code : null, stdout, stderr };
}

export async function stopAll(): Promise<void> {
  for (const child of collectors.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, "exit");
    child.kill("SIGINT");
    await exited;
  }
}
