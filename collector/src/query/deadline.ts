import { ClewError, type ErrorCode } from "../errors.ts";

export interface Deadline {
  readonly ms: number;
  readonly code: ErrorCode;
  /** What could not be done, as in "cannot <what>: no answer within …". */
  readonly what: string;
}

/** The promise's outcome, or a `ClewError` once the deadline has passed; the work goes on. */
export async function withDeadline<T>(promise: Promise<T>, deadline: Deadline): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const why = `no answer within ${deadline.ms} ms`;
    reject(new ClewError(deadline.code, `cannot ${deadline.what}: ${why}`));
  }, deadline.ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
