import { subscribe } from "node:diagnostics_channel";
import type { Recorder } from "../recorder.ts";
import { guard } from "../stats.ts";
import { findContext } from "../transaction/transaction-context.ts";
import { LOG_FIELD_TRANSACTION_ID } from "../wire-names.ts";
import { describeException } from "./exception.ts";
import { SEVERITY, type Severity } from "./log-record.ts";
import {
  findPinoKeys,
  levelTextOf,
  type PinoKeys,
  type PinoLogger,
  textAt,
} from "./pino-fields.ts";

const SCOPE = { name: "pino", version: "" };
const STAMP_KEY = `"${LOG_FIELD_TRANSACTION_ID}":`;
/** Longest logger bindings, and how many loggers', that are remembered parsed. */
const BINDINGS_REMEMBERED_MAX = 1000;
const BINDINGS_CHARACTERS_MAX = 4096;

const STAMPED = Symbol("clew.stamped");

/** The channel's message: pino's logger and the arguments of its `asJson`. */
interface Line {
  /** What the logger's bindings were before the stamp, and how many characters it has. */
  [STAMPED]?: { readonly bindings: string; readonly stampLength: number };
  readonly instance?: unknown;
  /** [merging object, message, level number, time text]. */
  readonly arguments?: ArrayLike<unknown>;
  readonly result?: unknown;
}

type Values = Record<string, unknown>;

/**
 * Makes a log record of every pino line and stamps the transaction ID into the line itself. The
 * record is read from the finished line, so that the service's own redaction and serializers hold
 * for it too. Needs pino 9.10 or later, which has the channel.
 */
export function instrumentPino(recorder: Recorder): void {
  subscribe(
    "tracing:pino_asJson:start",
    guard("pino-logs", (message) => stamp(message as Line)),
  );
  subscribe(
    "tracing:pino_asJson:end",
    guard("pino-logs", (message) => {
      const line = message as Line;
      const logger = loggerOf(line);
      const keys = logger === undefined ? undefined : findPinoKeys(logger);
      if (logger === undefined || keys === undefined) return;
      const stamped = line[STAMPED];
      if (stamped !== undefined) logger[keys.bindings] = stamped.bindings;
      if (typeof line.result === "string") record({ recorder, line, logger, keys });
    }),
  );
}

/**
 * Bindings are where pino's own child loggers keep their text: for the time of this one line they
 * carry the ID, at top level even under a nested key.
 */
function stamp(line: Line): void {
  const id = findContext()?.transaction?.id;
  const logger = id === undefined ? undefined : loggerOf(line);
  const keys = logger === undefined ? undefined : findPinoKeys(logger);
  if (logger === undefined || keys === undefined) return;
  const bindings = logger[keys.bindings];
  if (typeof bindings !== "string" || alreadyStamped(line, bindings)) return;
  const text = `,${STAMP_KEY}"${id}"`;
  line[STAMPED] = { bindings, stampLength: text.length };
  logger[keys.bindings] = bindings + text;
}

function loggerOf(line: Line): PinoLogger | undefined {
  const { instance } = line;
  return typeof instance === "object" && instance !== null ? (instance as PinoLogger) : undefined;
}

/** A nested call finds the bindings stamped; a service may write the field itself. */
function alreadyStamped(line: Line, bindings: string): boolean {
  const merging = line.arguments?.[0];
  const isInObject =
    typeof merging === "object" && merging !== null && LOG_FIELD_TRANSACTION_ID in merging;
  return isInObject || bindings.includes(STAMP_KEY);
}

interface Finished {
  readonly recorder: Recorder;
  readonly line: Line;
  readonly logger: PinoLogger;
  readonly keys: PinoKeys;
}

function record(finished: Finished): void {
  const { recorder, line, logger, keys } = finished;
  const given = line.arguments ?? [];
  const bindings = readBindings(textAt(logger, keys.bindings, ""));
  let body = given[1];
  let attributes: readonly Values[] = [bindings];
  if (hasKeys(given[0])) {
    const own = readOwn(finished);
    const messageKey = textAt(logger, keys.message, "msg");
    body ??= own[messageKey];
    own[messageKey] = undefined;
    const error = takeError(own, textAt(logger, keys.error, "err"));
    attributes = error === undefined ? [bindings, own] : [bindings, own, error];
  }
  recorder.log({ scope: SCOPE, severity: severityOf(given[2]), body, attributes });
}

/** Takes the error out of a line's fields; what it holds beside type, message and stack stays. */
function takeError(own: Values, key: string): Values | undefined {
  const error = own[key];
  if (error === undefined) return undefined;
  own[key] = undefined;
  if (typeof error === "object" && error !== null) {
    const { type, message, stack, ...rest } = error as Values;
    if (hasKeys(rest)) own[key] = rest;
  }
  return describeException(error);
}

/**
 * The line's own fields. The line begins with the level, the time, the bindings and our stamp,
 * whose lengths are known: parsing only what is behind them saves half of the work.
 */
function readOwn({ line, logger, keys }: Finished): Values {
  const text = String(line.result);
  const levelText = levelTextOf(logger, keys, line.arguments?.[2]);
  const headLength =
    levelText.length +
    String(line.arguments?.[3] ?? "").length +
    textAt(logger, keys.bindings, "").length +
    (line[STAMPED]?.stampLength ?? 0);
  if (levelText !== "" && text.charCodeAt(headLength) === COMMA) {
    const parsed = parseObject(`{${text.slice(headLength + 1)}`);
    if (parsed !== undefined) return parsed;
  }
  const whole = parseObject(text) ?? {};
  for (const key of HEAD_KEYS) whole[key] = undefined;
  return whole;
}

const COMMA = 44;
const HEAD_KEYS = ["level", "time", "pid", "hostname", LOG_FIELD_TRANSACTION_ID];

const remembered = new Map<string, Values>();

/** A logger's bindings, which are the same for each of its lines, without pid and host name. */
function readBindings(bindings: string): Values {
  const known = remembered.get(bindings);
  if (known !== undefined) return known;
  const { pid, hostname, ...values } = parseObject(`{${bindings.slice(1)}}`) ?? {};
  delete values[LOG_FIELD_TRANSACTION_ID];
  // A logger per request has bindings of its own each time: they are not kept for ever.
  if (remembered.size >= BINDINGS_REMEMBERED_MAX) remembered.clear();
  if (bindings.length <= BINDINGS_CHARACTERS_MAX) remembered.set(bindings, values);
  return values;
}

function parseObject(text: string): Values | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Values) : undefined;
  } catch {
    return undefined; // A formatter of the service wrote something else: its message is enough.
  }
}

function hasKeys(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  for (const _key in value) return true;
  return false;
}

/** pino's numbers are by default 10 to 60; custom ones fall to the step below. */
function severityOf(level: unknown): Severity {
  const number = Number(level);
  if (number >= 60) return SEVERITY.fatal;
  if (number >= 50) return SEVERITY.error;
  if (number >= 40) return SEVERITY.warn;
  if (number >= 30) return SEVERITY.info;
  return number >= 20 ? SEVERITY.debug : SEVERITY.trace;
}
