import { types } from "node:util";
import { isExpectedError } from "../expected-error.ts";
import { countFault } from "../stats.ts";
import { type RecordedSpan, STATUS } from "../tracing/recorded-span.ts";
import { ATTRIBUTE, SEMANTIC } from "../wire-names.ts";

/**
 * Runs the service's or the client's own code and ends the span when it is done. What the code
 * returns, rejects with or throws passes unchanged. Anything but a real promise is given back
 * untouched, because a query builder's `then` may run the query, and twice is once too often.
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
  if (!types.isPromise(result)) {
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

/** An error that the service marked as expected is told, but is no failure of the span. */
function fail(span: RecordedSpan, error: unknown): void {
  try {
    const isError = error instanceof Error;
    span.setAttribute(SEMANTIC.errorType, isError ? error.name : "_OTHER");
    if (isError) span.recordException(error);
    if (isExpectedError(error)) span.setAttribute(ATTRIBUTE.errorExpected, true);
    else span.setStatus({ code: STATUS.error, message: isError ? error.message : "" });
  } catch (fault) {
    countFault("span", fault);
  } finally {
    span.end();
  }
}
