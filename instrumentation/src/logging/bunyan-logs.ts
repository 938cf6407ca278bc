import { patchModules } from "../loading/module-hooks.ts";
import type { Recorder } from "../recorder.ts";
import { findRecorder } from "../recorder-holder.ts";
import { countFault } from "../stats.ts";
import { findContext } from "../transaction/transaction-context.ts";
import { LOG_FIELD_TRANSACTION_ID } from "../wire-names.ts";
import { describeLogged } from "./exception.ts";
import { SEVERITY, type Severity } from "./log-record.ts";
import { copyFields, findField } from "./user-fields.ts";

const SCOPE = { name: "bunyan", version: "" };
/** Told by the record itself, by its resource, or of no meaning outside of bunyan. */
const LEFT_OUT = new Set([
  ...["msg", "level", "time", "v", "pid", "hostname", "err", LOG_FIELD_TRANSACTION_ID],
]);
const PATCHED = Symbol.for("clew.bunyan.patched");

type Fields = Record<string, unknown>;
type Emit = (this: BunyanLogger, fields: Fields, noemit?: boolean) => unknown;

/** bunyan's Logger, as far as it is used here. */
interface BunyanLogger {
  readonly streams?: readonly { readonly level?: unknown }[];
}

/** Patches bunyan as it is loaded: see `instrumentBunyan`. */
export function patchBunyan(): void {
  patchModules([
    { package: "bunyan", file: "lib/bunyan.js", patch: (exports) => patchClass(exports) },
  ]);
}

/**
 * Makes a log record of every line that a bunyan logger writes, and writes `transaction_id` into
 * the line. Done by itself where bunyan is loaded from node_modules; in a bundle say it once.
 *
 * @param bunyan the module (`import bunyan from "bunyan"`) or any logger made by it
 * @returns what was given
 */
export function instrumentBunyan<T>(bunyan: T): T {
  patchClass(bunyan);
  return bunyan;
}

function patchClass(of: unknown): void {
  const prototype = findPrototype(of);
  if (prototype === undefined) throw new TypeError("cannot instrument bunyan: it has no _emit");
  if (Object.hasOwn(prototype, PATCHED)) return;
  rememberErrors(prototype);
  const original = prototype._emit;
  Object.defineProperty(prototype, PATCHED, { value: true });
  prototype._emit = function emit(this: BunyanLogger, fields: Fields, noemit?: boolean): unknown {
    if (noemit === true || !isWritten(this, fields)) return original.call(this, fields, noemit);
    stamp(fields);
    const recorder = findRecorder();
    if (recorder !== undefined) record(recorder, fields);
    return original.call(this, fields, noemit);
  };
}

function findPrototype(of: unknown): { _emit: Emit } | undefined {
  const candidates = [
    of,
    ...(typeof of === "function" ? [of.prototype] : []),
    ...(typeof of === "object" && of !== null ? [Object.getPrototypeOf(of)] : []),
    ...(typeof of === "object" && of !== null && "default" in of ? [protoOf(of.default)] : []),
  ];
  return candidates.find(isEmitting);
}

function protoOf(value: unknown): unknown {
  return typeof value === "function" ? value.prototype : undefined;
}

function isEmitting(value: unknown): value is { _emit: Emit } {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.hasOwn(value, "_emit") &&
    typeof Reflect.get(value, "_emit") === "function"
  );
}

/** Errors by what bunyan's serializer made of them, which has none of their causes. */
const originals = new WeakMap<object, unknown>();

function rememberErrors(prototype: object): void {
  const serializers: unknown = Reflect.get(prototype.constructor, "stdSerializers");
  if (typeof serializers !== "object" || serializers === null) return;
  const serialize: unknown = Reflect.get(serializers, "err");
  if (typeof serialize !== "function") return;
  Reflect.set(serializers, "err", function err(this: unknown, error: unknown): unknown {
    const serialized: unknown = serialize.call(this, error);
    if (typeof serialized === "object" && serialized !== null) originals.set(serialized, error);
    return serialized;
  });
}

/** A stream of its own may take less than the logger does. */
function isWritten(logger: BunyanLogger, fields: Fields): boolean {
  const level = Number(fields.level);
  return logger.streams?.some((stream) => Number(stream.level) <= level) === true;
}

/** bunyan makes a new object for each line, so nothing of the service's is touched. */
function stamp(fields: Fields): void {
  try {
    const id = findContext()?.transaction?.id;
    if (id !== undefined) fields[LOG_FIELD_TRANSACTION_ID] ??= id;
  } catch (error) {
    countFault("bunyan-logs", error);
  }
}

function record(recorder: Recorder, fields: Fields): void {
  try {
    const attributes: Fields[] = [copyFields(fields, LEFT_OUT)];
    const error = findField(fields, "err");
    if (error !== undefined) attributes.push(...errorFields(error));
    const severity = severityOf(findField(fields, "level"));
    recorder.log({ scope: SCOPE, severity, body: findField(fields, "msg"), attributes });
  } catch (error) {
    countFault("bunyan-logs", error);
  }
}

/** bunyan's serializer gives name, message and stack; what it holds beside them stays. */
function errorFields(error: unknown): Fields[] {
  if (typeof error !== "object" || error === null) return [describeLogged(error)];
  const described = describeLogged(originals.get(error) ?? error);
  const rest = copyFields(error, new Set(["name", "message", "stack"]));
  const values = Object.values(rest).filter((value) => value !== undefined);
  return values.length > 0 ? [{ err: rest }, described] : [described];
}

/** bunyan's numbers are 10 to 60, and any number between and beyond may be used. */
function severityOf(level: unknown): Severity {
  const number = Number(level);
  if (number >= 60) return SEVERITY.fatal;
  if (number >= 50) return SEVERITY.error;
  if (number >= 40) return SEVERITY.warn;
  if (number >= 30) return SEVERITY.info;
  return number >= 20 ? SEVERITY.debug : SEVERITY.trace;
}
