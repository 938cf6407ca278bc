import { findContext } from "../transaction/transaction-context.ts";
import { LOG_FIELD_TRANSACTION_ID } from "../wire-names.ts";
import { findPinoKeys, type PinoKeys, type PinoLogger } from "./pino-fields.ts";

const STAMP_KEY = `"${LOG_FIELD_TRANSACTION_ID}":`;
const STAMPED = Symbol("clew.stamped");

/** What the channel `tracing:pino_asJson` says: pino's logger and the arguments of its `asJson`. */
export interface PinoMessage {
  /** What was found out before the line was written. */
  [STAMPED]?: StampedLine;
  readonly instance?: unknown;
  /** [merging object, message, level number, time text]. */
  readonly arguments?: ArrayLike<unknown>;
  readonly result?: unknown;
}

export interface StampedLine {
  readonly logger: PinoLogger;
  readonly keys: PinoKeys;
  /** What the logger's bindings were before the stamp, and how many characters it has. */
  readonly bindings: string;
  readonly stampLength: number;
}

/**
 * Before pino writes a line: for the time of this one line its bindings, the text that pino's own
 * child loggers keep, carry the ID, so that it stands at top level even under a nested key.
 */
export function stampPinoLine(message: PinoMessage): void {
  const { instance } = message;
  if (typeof instance !== "object" || instance === null) return;
  const logger = instance as PinoLogger;
  const keys = findPinoKeys(logger);
  if (keys === undefined) return;
  const bindings = logger[keys.bindings];
  if (typeof bindings !== "string") return;
  const id = findContext()?.transaction?.id;
  if (id === undefined || isStamped(message, bindings)) {
    message[STAMPED] = { logger, keys, bindings, stampLength: 0 };
    return;
  }
  const text = `,${STAMP_KEY}"${id}"`;
  message[STAMPED] = { logger, keys, bindings, stampLength: text.length };
  logger[keys.bindings] = bindings + text;
}

/** After the line is written the logger's bindings are what they were. */
export function unstampPinoLine(message: PinoMessage): StampedLine | undefined {
  const stamped = message[STAMPED];
  if (stamped !== undefined && stamped.stampLength > 0) {
    stamped.logger[stamped.keys.bindings] = stamped.bindings;
  }
  return stamped;
}

/** A nested call finds the bindings stamped; a service may write the field itself. */
function isStamped(message: PinoMessage, bindings: string): boolean {
  const merging = message.arguments?.[0];
  const isInObject =
    typeof merging === "object" && merging !== null && LOG_FIELD_TRANSACTION_ID in merging;
  if (isInObject) return true;
  if (bindings !== searched.bindings) {
    searched.bindings = bindings;
    searched.isStamped = bindings.includes(STAMP_KEY);
  }
  return searched.isStamped;
}

/** The bindings searched last: those of one logger's lines are the same text. */
const searched = { bindings: "", isStamped: false };
