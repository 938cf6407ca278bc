import { isExpectedError } from "../expected-error.ts";
import { ATTRIBUTE, SEMANTIC } from "../wire-names.ts";

/** How much of an error's causes, and of the errors in an AggregateError, is written out. */
const ERRORS_MAX = 16;
const DEPTH_MAX = 8;

export interface ExceptionAttributes {
  [key: string]: string;
}

/**
 * The semantic conventions' `exception.*` attributes of anything that was thrown or logged as an
 * error; its causes, and the errors of an AggregateError, stand below its stack. Never throws.
 */
export function describeException(exception: unknown): ExceptionAttributes {
  try {
    return describe(exception);
  } catch {
    return { [SEMANTIC.exceptionMessage]: "an error that cannot be read" };
  }
}

/** The same for a log record, which also says where the service expected the error. */
export function describeLogged(
  exception: unknown,
  original: unknown = exception,
): Readonly<Record<string, string | boolean>> {
  const attributes = describeException(exception);
  return isExpected(original) ? { ...attributes, [ATTRIBUTE.errorExpected]: true } : attributes;
}

function isExpected(error: unknown): boolean {
  try {
    return isExpectedError(error);
  } catch {
    return false; // An error whose cause cannot be read is as unexpected as any.
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

/** The stack; below it, after `caused by:` or `one of:`, those of the errors in the error. */
function stackOf(exception: object): string | undefined {
  const stack = textOf(exception, "stack");
  if (stack === undefined) return undefined;
  const parts = [stack];
  addInner(exception, { parts, seen: new Set([exception]), depth: 0 });
  return parts.join("\n");
}

interface Written {
  readonly parts: string[];
  readonly seen: Set<unknown>;
  readonly depth: number;
}

function addInner(error: object, { parts, seen, depth }: Written): void {
  const several: unknown = error instanceof AggregateError ? error.errors : [];
  const inner: (readonly [string, unknown])[] = [["caused by", Reflect.get(error, "cause")]];
  if (Array.isArray(several)) {
    inner.push(...several.slice(0, ERRORS_MAX).map((one) => ["one of", one] as const));
  }
  for (const [relation, one] of inner) {
    if (!(one instanceof Error) || seen.has(one)) continue;
    if (seen.size >= ERRORS_MAX || depth >= DEPTH_MAX) return;
    seen.add(one);
    parts.push(`${relation}: ${one.stack ?? one.message}`);
    addInner(one, { parts, seen, depth: depth + 1 });
  }
}

function textOf(value: object, key: string): string | undefined {
  const text: unknown = Reflect.get(value, key);
  return typeof text === "string" && text !== "" ? text : undefined;
}
