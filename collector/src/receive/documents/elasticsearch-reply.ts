import type { IncomingHttpHeaders } from "node:http";
import type { ClewError, ErrorCode } from "../../errors.ts";
import { errorHeaders, type Reply } from "../http-reply.ts";

/** Clients of Elasticsearch 7.14 and later talk to nothing that does not say this. */
const PRODUCT = { "X-Elastic-Product": "Elasticsearch" } as const;
const BULK_TYPES: ReadonlySet<string> = new Set([
  "application/x-ndjson",
  "application/json",
  "application/vnd.elasticsearch+x-ndjson",
  "application/vnd.elasticsearch+json",
]);
const JSON_TYPE = "application/json";
/** Elasticsearch's own status for what it may take later; exporters try again on this one only. */
const TOO_MANY_REQUESTS = 429;
const NOT_ACCEPTABLE = 406;

/** By code: Elasticsearch's name for such an error, where there is one. */
const TYPES: Partial<Readonly<Record<ErrorCode, string>>> = {
  REQUEST_MALFORMED: "illegal_argument_exception",
  REQUEST_TOO_LARGE: "content_too_long_exception",
  REQUEST_TIMEOUT: "timeout_exception",
  MEDIA_TYPE_UNSUPPORTED: "media_type_header_exception",
  METHOD_NOT_ALLOWED: "method_not_allowed_exception",
  NOT_FOUND: "resource_not_found_exception",
  UNAUTHENTICATED: "security_exception",
  BUS_DISK_FULL: "cluster_block_exception",
  BUS_MESSAGE_TOO_LARGE: "content_too_long_exception",
};
const REJECTED = "es_rejected_execution_exception";
const CHALLENGE = 'Bearer realm="clew", Basic realm="clew", ApiKey';

/** Whether a `_bulk` body may have this content type. */
export function hasBulkType(headers: IncomingHttpHeaders): boolean {
  const [mediaType = ""] = (headers["content-type"] ?? "").split(";", 1);
  return BULK_TYPES.has(mediaType.trim().toLowerCase());
}

/** An answer in the media type that the client asked for; `application/json` where it did not. */
export function elasticsearchReply(
  headers: IncomingHttpHeaders,
  { status, body, type }: { status: number; body: Buffer; type?: string },
): Reply {
  return { status, headers: { ...PRODUCT, "Content-Type": type ?? replyType(headers) }, body };
}

/**
 * `{"error": {root_cause, type, reason}, "status"}`, as Elasticsearch refuses a whole request.
 * @param request its headers, and the methods that its path takes
 */
export function elasticsearchError(
  { headers, allowed }: { headers: IncomingHttpHeaders; allowed: string },
  error: ClewError,
): Reply {
  const status = statusOf(error, headers);
  const type = TYPES[error.code] ?? (error.kind.isRetryable ? REJECTED : "exception");
  const cause = { type, reason: error.message };
  const body = Buffer.from(JSON.stringify({ error: { root_cause: [cause], ...cause }, status }));
  const reply = elasticsearchReply(headers, { status, body });
  return {
    ...reply,
    headers: { ...errorHeaders(status), ...extraHeaders(status, allowed), ...reply.headers },
  };
}

function extraHeaders(status: number, allowed: string): Record<string, string> {
  if (status === 401) return { "WWW-Authenticate": CHALLENGE };
  return status === 405 ? { Allow: allowed } : {};
}

function statusOf({ code, kind }: ClewError, headers: IncomingHttpHeaders): number {
  // Elasticsearch has a status of its own for the content type, and none for the encoding.
  if (code === "MEDIA_TYPE_UNSUPPORTED" && !hasBulkType(headers)) return NOT_ACCEPTABLE;
  return kind.isRetryable && kind.status === 503 ? TOO_MANY_REQUESTS : kind.status;
}

/** The versioned media type, as `application/vnd.elasticsearch+json;compatible-with=9`. */
function replyType({ accept = "", "content-type": sent = "" }: IncomingHttpHeaders): string {
  const wanted = accept === "" || accept.includes("*/*") ? sent : accept;
  const [, version] =
    /application\/vnd\.elasticsearch\+[a-z-]+ *; *compatible-with *= *(\d)/.exec(wanted) ?? [];
  if (version === undefined) return JSON_TYPE;
  return `application/vnd.elasticsearch+json;compatible-with=${version}`;
}
