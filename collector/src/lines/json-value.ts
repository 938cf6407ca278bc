/** A value of a JSON document; a bigint is an integer beyond 2^53, with all its digits. */
export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly JsonValue[]
  | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

/** Deeper than any log; what reads values one inside the other must not run out of stack. */
export const JSON_DEPTH_MAX = 100;

const INT64_MAX = 2n ** 63n - 1n;

export type ParsedJson =
  | { readonly kind: "object"; readonly json: JsonObject }
  /** Valid, but a list, a text, a number… */
  | { readonly kind: "other" }
  /** An object that is nested deeper than `JSON_DEPTH_MAX`. */
  | { readonly kind: "deep" }
  | { readonly kind: "invalid"; readonly reason: string };

/**
 * Parses one document. Of a key that occurs twice the last value counts, as everywhere; integers
 * beyond 2^53 are exact (`bigint` within 64 bits, else text), for they are somebody's ids.
 */
export function parseJson(text: string): ParsedJson {
  let json: JsonValue;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: "invalid", reason: error.message };
    throw error;
  }
  if (!isObject(json)) return { kind: "other" };
  const found = inspect(json, 1);
  if (found === DEEP) return { kind: "deep" };
  return { kind: "object", json: found === INEXACT ? JSON.parse(text, exactInteger) : json };
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The key itself, or the path its dots describe, however objects and dotted keys are mixed. */
export function findValue(json: JsonObject, key: string): JsonValue | undefined {
  if (Object.hasOwn(json, key)) return json[key];
  for (let dot = key.indexOf("."); dot > 0; dot = key.indexOf(".", dot + 1)) {
    const head = key.slice(0, dot);
    const inner = Object.hasOwn(json, head) ? json[head] : undefined;
    const found = isObject(inner) ? findValue(inner, key.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** As JSON; integers beyond 2^53 keep all their digits, as text. */
export function jsonText(value: JsonValue): string {
  return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? String(item) : item));
}

const EXACT = 0;
const INEXACT = 1;
const DEEP = 2;

/** The worst of what is in there. */
function inspect(value: JsonObject | readonly JsonValue[], depth: number): number {
  if (depth > JSON_DEPTH_MAX) return DEEP;
  let worst = EXACT;
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    let found = EXACT;
    if (typeof item === "number") {
      if (Math.abs(item) > Number.MAX_SAFE_INTEGER && Number.isInteger(item)) found = INEXACT;
    } else if (typeof item === "object" && item !== null) found = inspect(item, depth + 1);
    if (found > worst) worst = found;
  }
  return worst;
}

/** A reviver that looks at the digits as they were sent (ECMAScript 2026, source text access). */
function exactInteger(...[, value, context]: readonly unknown[]): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = (context as { source?: string }).source ?? "";
  if (!/^-?\d+$/.test(source)) return value;
  const integer = BigInt(source);
  return integer <= INT64_MAX && integer >= -INT64_MAX ? integer : source;
}
