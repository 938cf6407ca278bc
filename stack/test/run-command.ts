import { spawn } from "node:child_process";
import { readLaunchConfig } from "../config.ts";
import { REPOSITORY } from "./launched-stack.ts";

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const DEADLINE_MS = 45_000;

/**
 * A command pasted into a shell in the repository's folder. With `until`, Ctrl-C is sent once the
 * output matches.
 */
export function runCommand(
  command: string,
  { until }: { until?: RegExp } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const shell = spawn("sh", ["-c", command], {
      cwd: REPOSITORY,
      detached: true,
      env: { ...readLaunchConfig().inherited },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const signalAll = (signal: NodeJS.Signals) => process.kill(-(shell.pid ?? 0), signal);
    const deadline = setTimeout(() => signalAll("SIGKILL"), DEADLINE_MS);
    let stdout = "";
    let stderr = "";
    let isInterrupted = false;
    shell.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      if (isInterrupted || !until?.test(stdout)) return;
      isInterrupted = true;
      signalAll("SIGINT");
    });
    shell.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    shell.once("error", reject);
    shell.once("close", (code) => {
      clearTimeout(deadline);
      resolve({ code, stdout, stderr });
    });
  });
}
