import { patchModules } from "../loading/module-hooks.ts";
import { nowMicros } from "../now-micros.ts";
import { findRecorder } from "../recorder-holder.ts";
import { countFault } from "../stats.ts";
import {
  EMPTY_CONTEXT,
  findContext,
  runIn,
  type TransactionContext,
} from "../transaction/transaction-context.ts";
import { LOG_FIELD_TRANSACTION_ID } from "../wire-names.ts";
import { withoutConsoleRecords } from "./console-logs.ts";
import { describeLogged } from "./exception.ts";
import { SEVERITY, type Severity } from "./log-record.ts";
import { findSeverity, severitiesOf } from "./severity.ts";
import { copyFields, findField, formatSafely } from "./user-fields.ts";
import {
  findLoggerPrototype,
  isWritten,
  LEVEL,
  SPLAT,
  type WinstonInfo,
  type WinstonLogger,
} from "./winston-shapes.ts";

const SCOPE = { name: "winston", version: "" };
const PATCHED = Symbol.for("clew.winston.patched");
/** Told by the record itself, or by `exception.*`. */
const LEFT_OUT = new Set(["level", "message", LOG_FIELD_TRANSACTION_ID]);
const LEFT_OUT_OF_ERROR = new Set([...LEFT_OUT, "stack", "cause", "name"]);
/** What `format.colorize()` puts around a text (ECMA-48 "select graphic rendition"). */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]{0,16}m`, "g");
const FORMAT_TOKEN = /%[scdjifoO]/;

/** A call of the logger: where and when it was made, however long the line waits in a stream. */
interface Call {
  readonly context: TransactionContext | undefined;
  readonly timeMicros: number;
  readonly message: unknown;
  readonly error: unknown;
}

/** Calls whose lines wait in a stream, by what goes through it. */
const waiting = new WeakMap<object, Call>();
/** The call that is handed to the stream, which mostly takes it at once: no map is needed. */
let written: { readonly info: unknown; readonly call: Call } | undefined;
/** The call whose line is being formatted: between `_transform` and the `push` inside it. */
let current: Call | undefined;

/** Patches winston as it is loaded: see `instrumentWinston`. */
export function patchWinston(): void {
  const patch = (exports: unknown) => patchLogger(exports);
  patchModules([
    { package: "winston", file: "lib/winston/logger.js", patch },
    { package: "winston", file: "lib/winston/transports/console.js", patch: patchConsole },
  ]);
}

/**
 * Makes one log record of every line that a winston logger writes, after its own format, and puts
 * `transaction_id` among the fields that its transports get. Done by itself where winston 3 is
 * loaded from node_modules; in a bundle say it once.
 *
 * @param winston the module (`import winston from "winston"`) or any logger made by it
 * @returns what was given
 */
export function instrumentWinston<T>(winston: T): T {
  patchLogger(winston);
  return winston;
}

function patchLogger(of: unknown): void {
  const prototype = findLoggerPrototype(of);
  if (prototype === undefined) throw new TypeError("cannot instrument winston: it has no Logger");
  if (Object.hasOwn(prototype, PATCHED)) return;
  Object.defineProperty(prototype, PATCHED, { value: true });
  const { write, push, _transform: transform } = prototype;
  define(prototype, "write", function (this: WinstonLogger, info, ...rest) {
    const noted = this.silent === true ? undefined : noteCall(info);
    if (noted === undefined) return write.call(this, info, ...rest);
    written = noted;
    try {
      return write.call(this, noted.info, ...rest);
    } finally {
      if (written === noted) waiting.set(noted.info, noted.call);
      written = undefined;
    }
  });
  define(prototype, "_transform", function (this: WinstonLogger, info, ...rest) {
    const before = current;
    current = callOf(info);
    try {
      return transform.call(this, info, ...rest);
    } finally {
      current = before;
    }
  });
  define(prototype, "push", function (this: WinstonLogger, info, ...rest) {
    if (current !== undefined && isInfo(info)) record(this, info, current);
    return push.call(this, info, ...rest);
  });
}

type Method = (this: WinstonLogger, ...args: unknown[]) => unknown;

function define(prototype: object, name: string, value: Method): void {
  Object.defineProperty(value, "name", { value: name });
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}

/** With `forceConsole` the transport prints by `console.log`, whose lines are records too. */
function patchConsole(exports: unknown): void {
  const prototype: unknown = typeof exports === "function" ? exports.prototype : undefined;
  if (typeof prototype !== "object" || prototype === null) return;
  const log: unknown = Reflect.get(prototype, "log");
  if (typeof log !== "function" || Object.hasOwn(prototype, PATCHED)) return;
  Object.defineProperty(prototype, PATCHED, { value: true });
  define(prototype, "log", function (...args) {
    return withoutConsoleRecords(() => log.apply(this, args));
  });
}

function callOf(info: unknown): Call | undefined {
  if (written !== undefined && written.info === info) {
    const { call } = written;
    written = undefined;
    return call;
  }
  return typeof info === "object" && info !== null ? waiting.get(info) : undefined;
}

/**
 * What goes on in the place of the service's object: inside a transaction a copy of the same kind,
 * with the ID. Under load a line waits in winston's stream, so context and time are those of now.
 */
function noteCall(info: unknown): { readonly info: object; readonly call: Call } | undefined {
  if (typeof info !== "object" || info === null) return undefined;
  try {
    const context = findContext();
    const id = context?.transaction?.id;
    const call: Call = {
      context,
      timeMicros: nowMicros(),
      message: findField(info, "message"),
      error: errorOf(info),
    };
    return { info: id === undefined ? info : stampedCopy(info, id), call };
  } catch (error) {
    countFault("winston-logs", error);
    return undefined;
  }
}

function stampedCopy(info: object, id: string): WinstonInfo {
  const copy = Object.getPrototypeOf(info) === Object.prototype ? spread(info) : undefined;
  const stamped = copy ?? copyOf(info);
  stamped[LOG_FIELD_TRANSACTION_ID] ??= id;
  return stamped;
}

/** Most lines are plain objects. A getter that throws has to throw in the format, not here. */
function spread(info: object): WinstonInfo | undefined {
  try {
    return { ...info };
  } catch {
    return undefined;
  }
}

/** With prototype, symbols and hidden fields: formats ask `instanceof Error`, and for them. */
function copyOf(info: object): WinstonInfo {
  const copy: WinstonInfo = Object.create(Object.getPrototypeOf(info));
  Object.defineProperties(copy, Object.getOwnPropertyDescriptors(info));
  if (info instanceof Error) Object.defineProperty(copy, "stack", hidden(info.stack));
  return copy;
}

function hidden(value: unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true, enumerable: false };
}

function isInfo(value: unknown): value is WinstonInfo {
  return typeof value === "object" && value !== null;
}

const ERROR_KEYS = ["message", "error", "err", "exception"];

function errorOf(info: object): unknown {
  if (info instanceof Error) return info;
  const splat = findField(info, SPLAT);
  if (Array.isArray(splat)) {
    const inSplat = splat.find((part) => part instanceof Error);
    if (inSplat !== undefined) return inSplat;
  }
  for (const key of ERROR_KEYS) {
    const value = findField(info, key);
    if (value instanceof Error) return value;
  }
  return undefined;
}

function record(logger: WinstonLogger, info: WinstonInfo, call: Call): void {
  const recorder = findRecorder();
  try {
    if (recorder === undefined || !isWritten(logger, info)) return;
    const error = call.error ?? stackHolder(info);
    const fields = copyFields(info, error === undefined ? LEFT_OUT : LEFT_OUT_OF_ERROR);
    const line = {
      scope: SCOPE,
      severity: severityOf(logger, info),
      body: bodyOf(info, call),
      attributes: error === undefined ? [fields] : [fields, describeLogged(error)],
      timeMicros: call.timeMicros,
    };
    if (call.context === findContext()) recorder.log(line);
    else runIn(call.context ?? EMPTY_CONTEXT, () => recorder.log(line));
  } catch (fault) {
    countFault("winston-logs", fault);
  }
}

/** `format.errors({ stack: true })` and `log(level, text, error)` leave a stack in the fields. */
function stackHolder(info: WinstonInfo): WinstonInfo | undefined {
  return typeof findField(info, "stack") === "string" ? info : undefined;
}

/**
 * The message as the logger's format left it. Where only a transport's format knows `splat()`, the
 * message still has its tokens: they are filled in here.
 */
function bodyOf(info: WinstonInfo, call: Call): unknown {
  const message = findField(info, "message") ?? call.message;
  if (message instanceof Error) return message.message;
  if (typeof message !== "string") return message;
  const splat = findField(info, SPLAT);
  const isOpen = message === call.message && Array.isArray(splat) && FORMAT_TOKEN.test(message);
  const text = isOpen ? formatSafely([message, ...splat], message) : message;
  return text.replace(COLOUR, "");
}

const schemes = new WeakMap<object, ReadonlyMap<string, Severity>>();

/** winston's schemes count from the most severe level, 0, upwards. */
function severityOf(logger: WinstonLogger, info: WinstonInfo): Severity {
  const level = String(info[LEVEL]);
  const levels = logger.levels ?? {};
  const severities = schemes.get(levels) ?? severitiesOf(namesOf(levels));
  schemes.set(levels, severities);
  return severities.get(level) ?? findSeverity(level) ?? SEVERITY.info;
}

function namesOf(levels: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(levels).sort((a, b) => Number(levels[b]) - Number(levels[a]));
}
