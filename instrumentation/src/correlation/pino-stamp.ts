import { findPinoKeys, type PinoKeys, type PinoLogger } from "../logging/pino-fields.ts";
import { findContext } from "../transaction/transaction-context.ts";
import { LOG_FIELD_TRANSACTION_ID } from "../wire-names.ts";

const STAMP_KEY = `"${LOG_FIELD_TRANSACTION_ID}":`;
const STAMPED = Symbol("clew.stamped-ids");

/** The channel's message: pino's logger and the arguments of its `asJson`. */
interface Line {
  /** What the logger's bindings were before the stamp. */
  [STAMPED]?: string;
  readonly instance?: unknown;
  readonly arguments?: ArrayLike<unknown>;
}

/**
 * Before pino writes a line: for the time of this one line its bindings, the text that pino's own
 * child loggers keep, carry the ID, so that it stands at top level even under a nested key.
 */
export function stampPinoLine(message: unknown): void {
  const line = message as Line;
  const id = findContext()?.transaction?.id;
  const found = id === undefined ? undefined : loggerOf(line);
  if (found === undefined) return;
  const { logger, keys } = found;
  const bindings = logger[keys.bindings];
  if (typeof bindings !== "string" || isStamped(line, bindings)) return;
  line[STAMPED] = bindings;
  logger[keys.bindings] = `${bindings},${STAMP_KEY}"${id}"`;
}

/** After the line is written the logger's bindings are what they were. */
export function unstampPinoLine(message: unknown): void {
  const line = message as Line;
  const bindings = line[STAMPED];
  const found = bindings === undefined ? undefined : loggerOf(line);
  if (found !== undefined) found.logger[found.keys.bindings] = bindings;
}

function loggerOf(line: Line): { logger: PinoLogger; keys: PinoKeys } | undefined {
  const { instance } = line;
  if (typeof instance !== "object" || instance === null) return undefined;
  const logger = instance as PinoLogger;
  const keys = findPinoKeys(logger);
  return keys === undefined ? undefined : { logger, keys };
}

/** A nested call finds the bindings stamped; a service may write the field itself. */
function isStamped(line: Line, bindings: string): boolean {
  const merging = line.arguments?.[0];
  const isInObject =
    typeof merging === "object" && merging !== null && LOG_FIELD_TRANSACTION_ID in merging;
  return isInObject || bindings.includes(STAMP_KEY);
}
