import { countFault } from "../stats.ts";
import { type RecordedSpan, STATUS } from "../tracing/recorded-span.ts";
import { SEMANTIC } from "../wire-names.ts";

/**
 * Runs the service's or the client's own code and ends the span when it is done. What the code
 * returns, rejects with or throws passes unchanged.
 */
export function settle(of: {
  readonly span: RecordedSpan | undefined;
  readonly body: () => unknown;
}): unknown {
  const { span, body } = of;
  if (span === undefined) return body();
  let result: unknown;
  try {
    result = body();
  } catch (error) {
    fail(span, error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    span.end();
    return result;
  }
  return result.then(
    (value: unknown) => {
      span.end();
      return value;
    },
    (error: unknown) => {
      fail(span, error);
      throw error;
    },
  );
}

function fail(span: RecordedSpan, error: unknown): void {
  try {
    const isError = error instanceof Error;
    span.setAttribute(SEMANTIC.errorType, isError ? error.name : "_OTHER");
    if (isError) span.recordException(error);
    span.setStatus({ code: STATUS.error, message: isError ? error.message : "" });
    span.end();
  } catch (fault) {
    countFault("span", fault);
  }
}
