import { subscribe } from "node:diagnostics_channel";
import type { Recorder } from "../recorder.ts";
import { countFault } from "../stats.ts";
import { findContext } from "../transaction/transaction-context.ts";
import { LOG_FIELD_TRANSACTION_ID } from "../wire-names.ts";
import { describeLogged } from "./exception.ts";
import { findPinoKeys, type PinoKeys, type PinoLogger, textAt } from "./pino-fields.ts";
import { pinoSeverity } from "./pino-levels.ts";
import {
  findPlainFields,
  type PinoLine,
  readBindings,
  readFields,
  writesMessagePlainly,
} from "./pino-line.ts";
import { findField } from "./user-fields.ts";

const SCOPE = { name: "pino", version: "" };
const STAMP_KEY = `"${LOG_FIELD_TRANSACTION_ID}":`;
const STAMPED = Symbol("clew.stamped");

/** The channel's message: pino's logger and the arguments of its `asJson`. */
interface Message {
  /** What was found out before the line was written. */
  [STAMPED]?: Stamped;
  readonly instance?: unknown;
  /** [merging object, message, level number, time text]. */
  readonly arguments?: ArrayLike<unknown>;
  readonly result?: unknown;
}

interface Stamped {
  readonly keys: PinoKeys;
  /** What the logger's bindings were before the stamp, and how many characters it has. */
  readonly bindings: string;
  readonly stampLength: number;
}

type Values = Record<string, unknown>;

/**
 * Makes a log record of every pino line and stamps the transaction ID into the line itself. The
 * record shows what pino wrote, so that the service's own redaction and serializers hold for it
 * too. Needs the channel that pino has since 9.10; see `patchOldPino` for those before.
 */
export function instrumentPino(recorder: Recorder): void {
  // Not by `guard`, which makes a list of the arguments: this is on the path of each line.
  subscribe("tracing:pino_asJson:start", (message) => {
    try {
      stamp(message as Message);
    } catch (error) {
      countFault("pino-logs", error);
    }
  });
  subscribe("tracing:pino_asJson:end", (message) => {
    try {
      finish(recorder, message as Message);
    } catch (error) {
      countFault("pino-logs", error);
    }
  });
}

/**
 * Bindings are where pino's own child loggers keep their text: for the time of this one line they
 * carry the ID, at top level even under a nested key.
 */
function stamp(message: Message): void {
  const logger = loggerOf(message);
  const keys = logger === undefined ? undefined : findPinoKeys(logger);
  if (logger === undefined || keys === undefined) return;
  const bindings = logger[keys.bindings];
  if (typeof bindings !== "string") return;
  const id = findContext()?.transaction?.id;
  if (id === undefined || isStamped(message, bindings)) {
    message[STAMPED] = { keys, bindings, stampLength: 0 };
    return;
  }
  const text = `,${STAMP_KEY}"${id}"`;
  message[STAMPED] = { keys, bindings, stampLength: text.length };
  logger[keys.bindings] = bindings + text;
}

function loggerOf({ instance }: Message): PinoLogger | undefined {
  return typeof instance === "object" && instance !== null ? (instance as PinoLogger) : undefined;
}

/** A nested call finds the bindings stamped; a service may write the field itself. */
function isStamped(message: Message, bindings: string): boolean {
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

function finish(recorder: Recorder, message: Message): void {
  const stamped = message[STAMPED];
  const logger = loggerOf(message);
  if (stamped === undefined || logger === undefined) return;
  const { keys, bindings, stampLength } = stamped;
  if (stampLength > 0) logger[keys.bindings] = bindings;
  const text = message.result;
  if (typeof text !== "string") return;
  record(recorder, { logger, keys, given: message.arguments ?? [], text, bindings, stampLength });
}

function record(recorder: Recorder, line: PinoLine): void {
  const { given } = line;
  const bindings = readBindings(line.bindings);
  const hasFields = hasKeys(given[0]);
  const isPlainMessage = writesMessagePlainly(line);
  let body = given[1];
  let attributes: readonly Values[] = [bindings];
  if (hasFields || !isPlainMessage) {
    const plain = isPlainMessage ? findPlainFields(line) : undefined;
    if (plain === undefined) {
      const own = readFields(line);
      const key = textAt(line.logger, line.keys.message, "msg");
      // Of a text that is also the message, the line has one; both are what pino wrote.
      body = own[key] ?? body;
      own[key] = undefined;
      attributes = withError(line, bindings, own);
    } else attributes = [bindings, plain];
  }
  const severity = pinoSeverity(line.logger, line.keys, given[2]);
  recorder.log({ scope: SCOPE, severity, body, attributes });
}

/** Takes the error out of a line's fields; what it holds beside type, message and stack stays. */
function withError(line: PinoLine, bindings: Values, own: Values): readonly Values[] {
  const key = textAt(line.logger, line.keys.error, "err");
  const error = own[key];
  if (error === undefined) return [bindings, own];
  own[key] = undefined;
  if (typeof error === "object" && error !== null) {
    const { type, message, stack, ...rest } = error as Values;
    if (hasKeys(rest)) own[key] = rest;
  }
  const merging = line.given[0];
  const original =
    typeof merging === "object" && merging !== null ? findField(merging, key) : undefined;
  return [bindings, own, describeLogged(error, original)];
}

function hasKeys(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  for (const _key in value) return true;
  return false;
}
