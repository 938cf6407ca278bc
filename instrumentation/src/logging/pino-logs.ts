import { subscribe } from "node:diagnostics_channel";
import type { Recorder } from "../recorder.ts";
import { guard } from "../stats.ts";
import { findContext } from "../transaction/transaction-context.ts";
import { LOG_FIELD_TRANSACTION_ID } from "../wire-names.ts";
import { describeException } from "./exception.ts";
import { SEVERITY, type Severity } from "./log-record.ts";
import { findPinoFields, type PinoFields } from "./pino-fields.ts";

const SCOPE = { name: "pino", version: "" };
/** Longest logger bindings, and how many loggers', that are remembered parsed. */
const BINDINGS_REMEMBERED_MAX = 1000;
const BINDINGS_CHARACTERS_MAX = 4096;

const STAMPED = Symbol("clew.stamped");

/** The channel's message: pino's logger and the arguments of its `asJson`. */
interface Line {
  /** What the logger's bindings were before the stamp. */
  [STAMPED]?: string;
  readonly instance?: unknown;
  /** [merging object, message, level number, time text]. */
  readonly arguments?: ArrayLike<unknown>;
  readonly result?: unknown;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * Makes a log record of every pino line and stamps the transaction ID into the line itself. The
 * record is read from the finished line, so that the service's own redaction and serializers hold
 * for it too. Needs pino 9.10 or later, which has the channel.
 */
export function instrumentPino(recorder: Recorder): void {
  subscribe(
    "tracing:pino_asJson:start",
    guard("pino-logs", (message) => {
      const line = message as Line;
      const fields = findPinoFields(line.instance);
      const id = findContext()?.transaction?.id;
      if (fields === undefined || id === undefined || alreadyStamped(line, fields)) return;
      // Bindings are where pino's own child loggers keep their text: for the time of this one
      // line they carry the ID, at top level even under a nested key.
      const { instance, bindingsKey, bindings } = fields;
      line[STAMPED] = bindings;
      Reflect.set(instance, bindingsKey, `${bindings},"${LOG_FIELD_TRANSACTION_ID}":"${id}"`);
    }),
  );
  subscribe(
    "tracing:pino_asJson:end",
    guard("pino-logs", (message) => {
      const line = message as Line;
      const found = findPinoFields(line.instance);
      if (found === undefined) return;
      const bindings = line[STAMPED] ?? found.bindings;
      if (line[STAMPED] !== undefined) Reflect.set(found.instance, found.bindingsKey, bindings);
      if (typeof line.result === "string") record(recorder, line, { ...found, bindings });
    }),
  );
}

/** A nested call finds the bindings stamped; a service may write the field itself. */
function alreadyStamped(line: Line, fields: PinoFields): boolean {
  const merging = line.arguments?.[0];
  const isInObject =
    typeof merging === "object" && merging !== null && LOG_FIELD_TRANSACTION_ID in merging;
  return isInObject || fields.bindings.includes(`"${LOG_FIELD_TRANSACTION_ID}":`);
}

function record(recorder: Recorder, line: Line, fields: PinoFields): void {
  const [merging, message, level, time] = Array.from(line.arguments ?? []);
  const attributes: Values[] = [readBindings(fields.bindings)];
  let body = message;
  if (hasKeys(merging)) {
    const own = readOwn(String(line.result), { fields, level, time });
    body ??= own[fields.messageKey];
    delete own[fields.messageKey];
    const error = takeError(own, fields.errorKey);
    attributes[0] = { ...attributes[0], ...own };
    if (error !== undefined) attributes.push(error);
  }
  recorder.log({ scope: SCOPE, severity: severityOf(level), body, attributes });
}

/** Takes the error out of a line's fields; what it holds beside type, message and stack stays. */
function takeError(own: Record<string, unknown>, key: string): Values | undefined {
  const error = own[key];
  if (error === undefined) return undefined;
  delete own[key];
  if (typeof error === "object" && error !== null) {
    const { type, message, stack, ...rest } = error as Record<string, unknown>;
    if (hasKeys(rest)) own[key] = rest;
  }
  return describeException(error);
}

/**
 * The line's own fields. The line begins with the level, the time and the bindings, whose lengths
 * are known: parsing only what is behind them saves half of the work.
 */
function readOwn(
  text: string,
  of: { fields: PinoFields; level: unknown; time: unknown },
): Record<string, unknown> {
  const { fields, level, time } = of;
  const head = `${fields.levelText(level)}${String(time)}${fields.bindings}`;
  const parsed = text.startsWith(head) ? parseObject(`{${afterHead(text, head)}`) : undefined;
  if (parsed !== undefined) return parsed;
  const whole = parseObject(text) ?? {};
  for (const key of ["level", "time", "pid", "hostname"]) delete whole[key];
  delete whole[LOG_FIELD_TRANSACTION_ID];
  return whole;
}

/** What follows the head, without our stamp and the comma. */
function afterHead(text: string, head: string): string {
  const rest = text.slice(head.length + 1);
  const stamp = `"${LOG_FIELD_TRANSACTION_ID}":"`;
  if (!rest.startsWith(stamp)) return rest;
  return rest.slice(rest.indexOf('"', stamp.length) + 1).replace(/^,/, "");
}

const remembered = new Map<string, Values>();

/** A logger's bindings, which are the same for each of its lines, without pid and host name. */
function readBindings(bindings: string): Values {
  const known = remembered.get(bindings);
  if (known !== undefined) return known;
  const { pid, hostname, ...values } = parseObject(`{${bindings.slice(1)}}`) ?? {};
  delete values[LOG_FIELD_TRANSACTION_ID];
  // A logger per request has bindings of its own each time: the oldest are forgotten.
  if (remembered.size >= BINDINGS_REMEMBERED_MAX) remembered.clear();
  if (bindings.length <= BINDINGS_CHARACTERS_MAX) remembered.set(bindings, values);
  return values;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
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
