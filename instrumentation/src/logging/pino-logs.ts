import { subscribe } from "node:diagnostics_channel";
import type { Recorder } from "../recorder.ts";
import { countFault } from "../stats.ts";
import { describeLogged } from "./exception.ts";
import { textAt } from "./pino-fields.ts";
import { pinoSeverity } from "./pino-levels.ts";
import {
  findPlainFields,
  type PinoLine,
  readBindings,
  readFields,
  writesMessagePlainly,
} from "./pino-line.ts";
import { type PinoMessage, stampPinoLine, unstampPinoLine } from "./pino-stamp.ts";
import { findField } from "./user-fields.ts";

const SCOPE = { name: "pino", version: "" };
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
      stampPinoLine(message as PinoMessage);
    } catch (error) {
      countFault("pino-logs", error);
    }
  });
  subscribe("tracing:pino_asJson:end", (message) => {
    try {
      finish(recorder, message as PinoMessage);
    } catch (error) {
      countFault("pino-logs", error);
    }
  });
}

function finish(recorder: Recorder, message: PinoMessage): void {
  const stamped = unstampPinoLine(message);
  const text = message.result;
  if (stamped === undefined || typeof text !== "string") return;
  const { logger, keys, bindings, stampLength } = stamped;
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
