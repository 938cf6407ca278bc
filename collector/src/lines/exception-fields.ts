import { SEMANTIC } from "@clew/instrumentation/names";
import { isObject, type JsonObject, type JsonValue } from "./json-value.ts";

/** Where libraries put an error: ECS, and pino's and winston's serializers. */
const ERROR_KEYS = ["error", "err", "exception"];
/** Names of its parts, and OpenTelemetry's attribute for each. */
const PARTS: readonly (readonly [name: string, attribute: string])[] = [
  ["type", SEMANTIC.exceptionType],
  ["name", SEMANTIC.exceptionType],
  ["message", SEMANTIC.exceptionMessage],
  ["stack_trace", SEMANTIC.exceptionStacktrace],
  ["stack", SEMANTIC.exceptionStacktrace],
];

/**
 * The error of a line under the attributes of OpenTelemetry's semantic conventions ("Exceptions in
 * logs"), by which search and page know it; other parts of it stay where they were.
 */
export function takeException(attributes: JsonObject): JsonObject {
  for (const key of ERROR_KEYS) {
    const error = attributes[key];
    if (Object.hasOwn(attributes, key) && isObject(error)) return moved(attributes, key, error);
  }
  return attributes;
}

function moved(attributes: JsonObject, key: string, error: JsonObject): JsonObject {
  const exception = new Map<string, JsonValue>();
  const taken = new Set<string>();
  for (const [name, attribute] of PARTS) {
    const value = error[name];
    if (!Object.hasOwn(error, name) || typeof value !== "string") continue;
    if (exception.has(attribute) || Object.hasOwn(attributes, attribute)) continue;
    exception.set(attribute, value);
    taken.add(name);
  }
  if (taken.size === 0) return attributes;
  const left = Object.entries(error).filter(([name]) => !taken.has(name));
  const others = Object.entries(attributes).filter(([name]) => name !== key);
  const rest = left.length === 0 ? [] : [[key, Object.fromEntries(left)] as const];
  return Object.fromEntries([...others, ...rest, ...exception]);
}
