import type { Attributes, AttributeValue, StoredRecord } from "../record.ts";
import { SEMANTIC_ALIASES } from "../wire-names.ts";
import { safeLine } from "./safe-text.ts";
import type { Colour, Style } from "./terminal.ts";

const WARN = 13;
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
const NUMBERS_PER_LEVEL = 4;
/** Attributes that say more about an error than its message does. */
const ERROR_DETAILS = [
  ...SEMANTIC_ALIASES.exceptionStacktrace,
  ...SEMANTIC_ALIASES.exceptionMessage,
];

/** `2026-01-31T12:00:00.123Z orders  ERROR card declined  (transaction-id)`, stack traces below. */
export function describeLogLine(record: StoredRecord, colour: Colour): string {
  const time = colour("dim", record.time.replace(/(\.\d{3})\d*Z$/, "$1Z"));
  const service = colour("cyan", safeLine(record.service));
  const style = levelStyle(record);
  const paint = (text: string) => (style ? colour(style, text) : text);
  const [first = "", ...rest] = oneMessage(record).split("\n");
  const id = record.transactionId ? colour("dim", `  (${safeLine(record.transactionId)})`) : "";
  const said = paint(`${levelOf(record).padEnd(5)} ${safeLine(first)}`);
  const head = `${time} ${service} ${said}${id}`;
  return [head, ...rest.map((line) => `    ${paint(safeLine(line))}`)].join("\n");
}

/** TRACE to FATAL from the severity number; else the severity's own text. */
export function levelOf(record: StoredRecord): string {
  const level = LEVELS[Math.floor((record.severityNumber - 1) / NUMBERS_PER_LEVEL)];
  return level ?? (safeLine(record.severityText).slice(0, 5) || "-");
}

export function levelStyle(record: StoredRecord): Style | undefined {
  if (record.isError) return "red";
  return record.severityNumber >= WARN ? "yellow" : undefined;
}

/** The message; of an error also its stack trace, where the message does not hold it. */
export function oneMessage(record: StoredRecord): string {
  const message = record.message || textOf(record.body);
  if (!record.isError) return message;
  const { attributes } = record;
  const details = ERROR_DETAILS.map((name) => attributes[name]);
  for (const detail of [...details, stackOf(attributes.err), stackOf(attributes.error)]) {
    if (typeof detail === "string" && detail !== "" && !message.includes(detail)) {
      return `${message}\n${detail}`;
    }
  }
  return message;
}

/** An error as pino and bunyan write it; of a text there is nothing more to say. */
function stackOf(error: AttributeValue | undefined): AttributeValue | undefined {
  if (typeof error !== "object" || error === null || Array.isArray(error)) return undefined;
  const { stack } = error as Attributes;
  return stack;
}

function textOf(body: AttributeValue): string {
  if (body === null) return "";
  return typeof body === "string" ? body : JSON.stringify(body);
}
