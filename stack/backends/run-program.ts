import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { StackError } from "../errors.ts";

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const TOLD_CHARACTERS_MAX = 2_000;

const run = promisify(execFile);

export interface ProgramRequest {
  readonly program: string;
  readonly args: readonly string[];
  readonly deadlineMs: number;
  readonly cwd?: string;
}

/**
 * Runs a program of this machine to its end; answers what it wrote.
 * @throws StackError BACKEND_UNAVAILABLE with the end of its output.
 */
export async function runProgram(
  request: ProgramRequest,
): Promise<{ stdout: string; stderr: string }> {
  const { program, args, deadlineMs, cwd } = request;
  try {
    return await run(program, [...args], {
      maxBuffer: OUTPUT_BYTES_MAX,
      timeout: deadlineMs,
      ...(cwd === undefined ? {} : { cwd }),
    });
  } catch (cause) {
    const { stdout, stderr, message } = cause as Error & { stdout?: string; stderr?: string };
    const output = `${stdout ?? ""}${stderr ?? ""}`.trim() || message;
    throw new StackError(
      "BACKEND_UNAVAILABLE",
      `cannot run ${program}: ${output.slice(-TOLD_CHARACTERS_MAX)}`,
      { cause },
    );
  }
}
