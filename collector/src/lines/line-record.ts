import { SEMANTIC } from "@clew/instrumentation/names";
import { isTransactionId } from "@clew/instrumentation/transaction-id";
import { findEventTime } from "./event-time.ts";
import { findSeverity, type Severity } from "./severity.ts";

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };
type JsonObject = { readonly [key: string]: JsonValue };

/** What one line of a log says. */
export interface LineRecord {
  /** Unix time of the event; undefined where the line has none. */
  readonly timeNs: bigint | undefined;
  readonly severity: Severity | undefined;
  readonly body: string;
  readonly attributes: JsonObject;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly service: string | undefined;
  readonly transactionId: string | undefined;
}

const TIME_KEYS = ["time", "timestamp", "@timestamp", "ts"];
const LEVEL_KEYS = ["level", "severity", "lvl", "levelname", "severity_text", "log.level"];
const MESSAGE_KEYS = ["msg", "message"];
const TRACE_KEYS = ["trace_id", "traceId", "trace.id"];
const SPAN_KEYS = ["span_id", "spanId", "span.id"];
const SERVICE_KEYS = [SEMANTIC.serviceName, "service"];
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/i;
const SPAN_ID = /^(?!0+$)[0-9a-f]{16}$/i;
/** Words looked at for a level at the start of a text line: a date, a thread and a level. */
const TEXT_WORDS_MAX = 6;
const TEXT_HEAD_CHARS = 120;

/**
 * Reads one line. A JSON object keeps all of its fields as attributes, apart from those that have a
 * place of their own in a log record (pino, winston, bunyan, ECS); anything else is text.
 * @param transactionKeys names that hold the transaction ID, first present wins; dots go deeper.
 */
export function readLine(line: string, transactionKeys: readonly string[]): LineRecord {
  const json = line.trimStart().startsWith("{") ? findJson(line) : undefined;
  return json ? readJson({ json, line, transactionKeys }) : readText(line, transactionKeys);
}

function readJson(request: {
  json: JsonObject;
  line: string;
  transactionKeys: readonly string[];
}): LineRecord {
  const { json, line, transactionKeys } = request;
  const taken = new Set<string>();
  /** The first key whose value means something; only then does it leave the attributes. */
  const take = <T>(keys: readonly string[], find: (value: JsonValue) => T | undefined) => {
    for (const key of keys) {
      const value = findValue(json, key);
      const found = value === undefined ? undefined : find(value);
      if (found === undefined) continue;
      taken.add(key);
      return found;
    }
    return undefined;
  };
  const timeNs = take(TIME_KEYS, findEventTime);
  const severity = take(LEVEL_KEYS, findSeverity);
  const body = take(MESSAGE_KEYS, (value) => (typeof value === "string" ? value : undefined));
  const traceId = take(TRACE_KEYS, (value) => findHex(value, TRACE_ID));
  const spanId = take(SPAN_KEYS, (value) => findHex(value, SPAN_ID));
  const service = take(SERVICE_KEYS, (value) => (isName(value) ? value : undefined));
  const transactionId = firstOf(transactionKeys, (key) => asTransactionId(findValue(json, key)));
  const rest = Object.entries(json).filter(([key]) => !taken.has(key));
  const attributes = Object.fromEntries(rest);
  return {
    timeNs,
    severity,
    body: body ?? line,
    attributes,
    traceId,
    spanId,
    service,
    transactionId,
  };
}

function readText(line: string, transactionKeys: readonly string[]): LineRecord {
  const head = line.slice(0, TEXT_HEAD_CHARS);
  const [time] = /\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}\S*/.exec(head) ?? [];
  const words = head.split(/[\s[\]():|]+/, TEXT_WORDS_MAX + 1).slice(0, TEXT_WORDS_MAX);
  const isLevel = (word: string) => /^[A-Z]+$/.test(word) || /^level=/.test(word);
  return {
    timeNs: time === undefined ? undefined : findEventTime(time.replace(/[\],]$/, "")),
    severity: firstOf(words.filter(isLevel), (word) => findSeverity(word.replace("level=", ""))),
    body: line,
    attributes: {},
    traceId: firstOf(TRACE_KEYS, (key) => findHex(findPair(line, key), TRACE_ID)),
    spanId: firstOf(SPAN_KEYS, (key) => findHex(findPair(line, key), SPAN_ID)),
    service: undefined,
    transactionId: firstOf(transactionKeys, (key) => asTransactionId(findPair(line, key))),
  };
}

function findJson(line: string): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The key itself, or the path its dots describe. */
function findValue(json: JsonObject, key: string): JsonValue | undefined {
  if (Object.hasOwn(json, key)) return json[key];
  let at: JsonValue | undefined = json;
  for (const step of key.split(".")) {
    at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }
  return at;
}

/** `key=value`, `key: value`, `"key":"value"` anywhere in a text line. */
function findPair(line: string, key: string): string | undefined {
  for (let at = line.indexOf(key); at >= 0; at = line.indexOf(key, at + 1)) {
    if (/[A-Za-z0-9_.-]/.test(line[at - 1] ?? " ")) continue;
    const after = line.slice(at + key.length, at + key.length + TEXT_HEAD_CHARS);
    const [, value] = /^"?\s*[=:]\s*["']?([A-Za-z0-9._:-]+)/.exec(after) ?? [];
    if (value !== undefined) return value;
  }
  return undefined;
}

function firstOf<T>(keys: readonly string[], find: (key: string) => T | undefined): T | undefined {
  for (const key of keys) {
    const found = find(key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findHex(value: JsonValue | undefined, pattern: RegExp): string | undefined {
  return typeof value === "string" && pattern.test(value) ? value.toLowerCase() : undefined;
}

function asTransactionId(value: JsonValue | undefined): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return isTransactionId(text) ? text : undefined;
}

function isName(value: JsonValue): value is string {
  return typeof value === "string" && value !== "";
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
