/** Every error the launcher and the demo stop with: one table, from which the class takes. */

export const ERRORS = {
  OPTION_INVALID: { exitCode: 2, meaning: "an option of the command line is not known" },
  CONFIG_INVALID: { exitCode: 1, meaning: "a variable has a value that is not allowed" },
  PORT_IN_USE: { exitCode: 1, meaning: "another process listens on the port" },
  PROCESS_DIED: { exitCode: 1, meaning: "a process ended that should run on" },
  BUILD_FAILED: { exitCode: 1, meaning: "the web page cannot be built" },
  BACKEND_UNAVAILABLE: { exitCode: 1, meaning: "a real server cannot be fetched or started" },
  PROGRAM_MISSING: { exitCode: 1, meaning: "a program of this machine is needed and not there" },
  CALL_FAILED: { exitCode: 1, meaning: "one demo service cannot reach another" },
} as const satisfies Record<string, { exitCode: number; meaning: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error a person is told in one line: `cannot <do>: <why>`. */
export class StackError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StackError";
    this.code = code;
  }

  get exitCode(): number {
    return ERRORS[this.code].exitCode;
  }
}

/** What a person is told of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
