import { findEventTime } from "./event-time.ts";
import { findSpanId, findTraceId, findTransactionId } from "./find-ids.ts";
import { findSeverity, type Severity } from "./severity.ts";

const TRACE_KEYS = ["trace_id", "traceId", "trace.id"];
const SPAN_KEYS = ["span_id", "spanId", "span.id"];
/** Words looked at for a level at the start of a text line: a date, a thread and a level. */
const TEXT_WORDS_MAX = 6;
const TEXT_HEAD_CHARS = 120;

/** The time with which a text begins, or nearly so. */
export function findTextTime(text: string): bigint | undefined {
  const head = text.slice(0, TEXT_HEAD_CHARS);
  const [time] = /\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}\S*/.exec(head) ?? [];
  return time === undefined ? undefined : findEventTime(time.replace(/[\],]$/, ""));
}

/** A level among the first words: in capitals, or as `level=`. */
export function findTextSeverity(text: string): Severity | undefined {
  const head = text.slice(0, TEXT_HEAD_CHARS);
  const words = head.split(/[\s[\]():|]+/, TEXT_WORDS_MAX + 1).slice(0, TEXT_WORDS_MAX);
  const isLevel = (word: string) => /^[A-Z]+$/.test(word) || /^level=/.test(word);
  return firstOf(words.filter(isLevel), (word) => findSeverity(word.replace("level=", "")));
}

export function findTextTraceId(text: string): string | undefined {
  return firstOf(TRACE_KEYS, (key) => findTraceId(findPair(text, key)));
}

export function findTextSpanId(text: string): string | undefined {
  return firstOf(SPAN_KEYS, (key) => findSpanId(findPair(text, key)));
}

export function findTextTransactionId(text: string, keys: readonly string[]): string | undefined {
  return firstOf(keys, (key) => findTransactionId(findPair(text, key)));
}

/** `key=value`, `key: value`, `"key":"value"` anywhere in the text. */
function findPair(text: string, key: string): string | undefined {
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    if (/[A-Za-z0-9_.-]/.test(text[at - 1] ?? " ")) continue;
    const after = text.slice(at + key.length, at + key.length + TEXT_HEAD_CHARS);
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
