import { type ClewError, ERRORS, type ErrorCode } from "../errors.ts";

/** RFC 9457: what every error of the query API looks like; `code` is the row of the error table. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
}

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

const RETRY_AFTER_SECONDS = 1;

export function toProblem(error: ClewError): Problem {
  const { status, meaning } = ERRORS[error.code];
  const slug = error.code.toLowerCase().replaceAll("_", "-");
  return {
    type: `urn:clew:problem:${slug}`,
    title: meaning,
    status,
    detail: error.message,
    code: error.code,
  };
}

/**
 * The one way in which an error leaves a route.
 * @param extension further members of the problem (RFC 9457 §3.2), as `parts` of `/readyz`.
 */
export function respondWithProblem(error: ClewError, extension: object = {}): Response {
  const problem = toProblem(error);
  const headers = new Headers({ "content-type": PROBLEM_MEDIA_TYPE, "cache-control": "no-store" });
  if (problem.status === 401) headers.set("www-authenticate", 'Bearer realm="clew"');
  if (problem.status === 405) headers.set("allow", "GET, HEAD");
  if (error.kind.isRetryable) headers.set("retry-after", String(RETRY_AFTER_SECONDS));
  return new Response(JSON.stringify({ ...problem, ...extension }), {
    status: problem.status,
    headers,
  });
}
