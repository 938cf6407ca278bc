/** The process: `clew <command>`. Each command is loaded only when it is asked for. */
import { COMMANDS, findCommand, HELP } from "./cli/commands.ts";
import { ProcessTerminal } from "./cli/terminal.ts";
import { UsageError } from "./cli/usage-error.ts";
import { ClewError } from "./errors.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * Runs one command and sets the process's exit code: 0 done or found, 1 failed or not found,
 * 2 wrong usage. What went wrong is one line on stderr.
 */
export async function main(args: readonly string[]): Promise<void> {
  const terminal = new ProcessTerminal();
  try {
    process.exitCode = await run(args, terminal);
  } catch (error) {
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
    terminal.fail(
      error instanceof UsageError || error instanceof ClewError ? error.message : error,
    );
  }
}

async function run(args: readonly string[], terminal: ProcessTerminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    terminal.print(HELP);
    return name === undefined ? EXIT_USAGE : 0;
  }
  const command = findCommand(name);
  if (!command) {
    const names = COMMANDS.map((known) => known.name).join(", ");
    throw new UsageError(`cannot run "${name}": commands are ${names}; see clew --help`);
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    terminal.print(command.helpOf?.(rest) ?? command.help);
    return 0;
  }
  const act = await command.load();
  return act(rest, terminal);
}

if (import.meta.main) await main(process.argv.slice(2));
