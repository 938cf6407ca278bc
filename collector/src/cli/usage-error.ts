import { type ParseArgsConfig, parseArgs } from "node:util";

/** The command line itself is wrong: exit code 2, and where to read how it is right. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/**
 * Reads a command's arguments with `node:util`.
 * @throws UsageError in one line, ending in the command's help.
 */
export function parseCommandLine<const T extends Options>(request: {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: T;
  readonly positionalsMax: number;
}) {
  const { command, options, positionalsMax } = request;
  try {
    const parsed = parseArgs({ args: [...request.args], options, allowPositionals: true });
    const surplus = parsed.positionals[positionalsMax];
    if (surplus !== undefined) throw new UsageError(`unexpected argument '${surplus}'`);
    return parsed;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split(/\.(?:\s|$)/);
    throw wrongUsage(command, reason ?? "");
  }
}

export function wrongUsage(command: string, reason: string): UsageError {
  return new UsageError(`cannot run clew ${command}: ${reason}; see clew ${command} --help`);
}
