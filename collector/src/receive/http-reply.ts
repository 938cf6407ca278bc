import type { IncomingMessage, ServerResponse } from "node:http";

/** The answer of a door; its headers name the content type where there is a body. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** So much of a refused body is read and thrown away, for the sender to get to the answer. */
export const DISCARD_BYTES_MAX = 128 * 1024 * 1024;
const DISCARD_TIMEOUT_MS = 10_000;
export const RETRY_AFTER_SECONDS = 1;

/** The one way out: every answer to a request leaves here. */
export function send(
  reply: Reply,
  to: { request: IncomingMessage; response: ServerResponse; isLast: boolean },
): void {
  const { request, response } = to;
  if (response.destroyed || response.headersSent) return;
  if (!request.complete) discardRest(request);
  response.writeHead(reply.status, {
    ...reply.headers,
    "Content-Length": reply.body.length,
    ...(to.isLast ? { Connection: "close" } : {}),
  });
  response.end(reply.body);
}

/** What a status wants said beside the body. */
export function errorHeaders(status: number): Record<string, string> {
  if (status === 401) return { "WWW-Authenticate": "Bearer" };
  if (status === 405) return { Allow: "POST" };
  if (status === 408) return { Connection: "close" };
  if (status === 415) return { "Accept-Encoding": "gzip, zstd" };
  if (status === 429 || status === 503) return { "Retry-After": String(RETRY_AFTER_SECONDS) };
  return {};
}

/** Closing while the sender still writes would reset the connection, and the answer be lost. */
function discardRest(request: IncomingMessage): void {
  let bytes = 0;
  const timer = setTimeout(() => request.socket.destroy(), DISCARD_TIMEOUT_MS);
  timer.unref();
  request.once("close", () => clearTimeout(timer));
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARD_BYTES_MAX) request.socket.destroy();
  });
  request.resume();
}
