/** `npm start`: the collector, the demo and its customers in one terminal. */
import { readLaunchConfig } from "./config.ts";
import { messageOf, StackError } from "./errors.ts";
import { Announcer } from "./launcher/announcer.ts";
import { LAUNCH_HELP, type LaunchOptions, parseLaunchOptions } from "./launcher/launch-options.ts";
import { Stack } from "./launcher/stack.ts";

const KILLED_BY_INTERRUPT = 130;
/** npm passes on the Ctrl-C that the terminal sent to us as well: the same one, not a second. */
const SAME_INTERRUPT_MS = 500;

/** Runs until it is interrupted or something fails for good; answers the exit code. */
export async function launch(args: readonly string[]): Promise<number> {
  try {
    const options = parseLaunchOptions(args);
    if (!options.help) return await run(options);
    process.stdout.write(LAUNCH_HELP);
    return 0;
  } catch (error) {
    return tell(error);
  }
}

async function run(options: LaunchOptions): Promise<number> {
  const announcer = new Announcer({ output: process.stdout, isJson: options.json, now: Date.now });
  const stack = new Stack({ options, config: readLaunchConfig(), announcer });
  const interrupted = onInterrupt(() => {
    stack.kill();
    process.exit(KILLED_BY_INTERRUPT);
  });
  let exitCode = 0;
  try {
    await Promise.race([stack.start(), interrupted, stack.failed]);
    await Promise.race([interrupted, stack.failed]);
    announcer.say({ event: "stopping", text: "\nending" });
  } catch (error) {
    exitCode = tell(error);
  }
  const killed = await stack.stop();
  for (const name of killed) exitCode = tell(killedError(name));
  if (exitCode === 0) announcer.say({ event: "stopped", text: "ended" });
  return exitCode;
}

function killedError(name: string): StackError {
  return new StackError("PROCESS_DIED", `cannot end ${name} cleanly: it took too long, so killed`);
}

/** Resolves at the first Ctrl-C (or SIGTERM, or a closed terminal); the next calls `onAgain`. */
function onInterrupt(onAgain: () => void): Promise<void> {
  let firstMs: number | undefined;
  return new Promise((resolve) => {
    const note = () => {
      firstMs ??= performance.now();
      resolve();
      if (performance.now() - firstMs > SAME_INTERRUPT_MS) onAgain();
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, note);
  });
}

function tell(error: unknown): number {
  process.stderr.write(`${messageOf(error)}\n`);
  return error instanceof StackError ? error.exitCode : 1;
}

if (import.meta.main) {
  // A reader that went away (`npm start | head`) is no reason to leave processes behind.
  process.stdout.on("error", () => process.kill(process.pid, "SIGTERM"));
  process.exitCode = await launch(process.argv.slice(2));
}
