import { spawnSync } from "node:child_process";
import { type BackendsConfig, readBackendsConfig } from "../config.ts";
import { StackError } from "../errors.ts";

const JAVA_MAJOR_MIN = 17;
const CHECK_DEADLINE_MS = 20_000;

export interface Requirement {
  /** Program and the arguments with which it ends at once with exit code 0. */
  readonly command: readonly [program: string, ...args: string[]];
  /** What a person installs, as `Java 17 and Maven`. */
  readonly toInstall: string;
  readonly isEnough?: (output: string) => boolean;
}

/**
 * Whether tests that need a program of this machine can run: `describe.skipIf(!hasPrograms(…))`.
 * Where they cannot, one line says what is skipped and what to install.
 * @throws StackError PROGRAM_MISSING in continuous integration, where a skip is a failure.
 */
export function hasPrograms(
  skipped: string,
  requirements: readonly Requirement[],
  config: BackendsConfig = readBackendsConfig(),
): boolean {
  const missing = requirements.filter((requirement) => !isThere(requirement));
  if (missing.length === 0) return true;
  const toInstall = [...new Set(missing.map((requirement) => requirement.toInstall))].join(", ");
  const line = `skipped: ${skipped}; to enable: install ${toInstall}`;
  if (config.isContinuousIntegration) throw new StackError("PROGRAM_MISSING", line);
  process.stderr.write(`${line}\n`);
  return false;
}

/** Whether a real Kafka can be started here; else as `hasPrograms`. */
export function requireJava(
  skipped: string,
  config: BackendsConfig = readBackendsConfig(),
): boolean {
  const toInstall = `Java ${JAVA_MAJOR_MIN} or newer and Maven (and util-linux, on Linux)`;
  return hasPrograms(
    skipped,
    [
      { command: [config.javaProgram, "-version"], toInstall, isEnough: isJavaNewEnough },
      { command: ["mvn", "--version"], toInstall },
      { command: ["setpriv", "--version"], toInstall },
    ],
    config,
  );
}

function isThere({ command, isEnough = () => true }: Requirement): boolean {
  const [program, ...args] = command;
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    timeout: CHECK_DEADLINE_MS,
  });
  return status === 0 && isEnough(`${stdout}${stderr}`);
}

/** `openjdk version "17.0.15"`; before 9 it was `"1.8.0_402"`. */
function isJavaNewEnough(output: string): boolean {
  return Number(/version "(\d+)/.exec(output)?.[1] ?? 0) >= JAVA_MAJOR_MIN;
}
