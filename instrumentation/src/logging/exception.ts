import { SEMANTIC } from "../wire-names.ts";

/** How much of an error's chain of causes is written out. */
const CAUSES_MAX = 8;

export interface ExceptionAttributes {
  [key: string]: string;
}

/**
 * The semantic conventions' `exception.*` attributes of anything that was thrown or logged as an
 * error, with its causes below its stack as Node prints them. Never throws.
 */
export function describeException(exception: unknown): ExceptionAttributes {
  try {
    return describe(exception);
  } catch {
    return { [SEMANTIC.exceptionMessage]: "an error that cannot be read" };
  }
}

function describe(exception: unknown): ExceptionAttributes {
  if (typeof exception !== "object" || exception === null) {
    return { [SEMANTIC.exceptionMessage]: String(exception) };
  }
  const type = textOf(exception, "type") ?? textOf(exception, "name") ?? "Error";
  const message = textOf(exception, "message") ?? "";
  const stack = stackOf(exception);
  return {
    [SEMANTIC.exceptionType]: type,
    [SEMANTIC.exceptionMessage]: message,
    ...(stack === undefined ? {} : { [SEMANTIC.exceptionStacktrace]: stack }),
  };
}

function stackOf(exception: object): string | undefined {
  let stack = textOf(exception, "stack");
  if (stack === undefined) return undefined;
  let cause = Reflect.get(exception, "cause");
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    stack += `\ncaused by: ${cause.stack ?? cause.message}`;
    cause = cause.cause;
  }
  return stack;
}

function textOf(value: object, key: string): string | undefined {
  const text: unknown = Reflect.get(value, key);
  return typeof text === "string" && text !== "" ? text : undefined;
}
