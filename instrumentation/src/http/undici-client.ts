import { subscribe } from "node:diagnostics_channel";
import { guard } from "../stats.ts";
import { HEADER } from "../wire-names.ts";
import {
  type Destination,
  type OutboundCall,
  type OutboundOptions,
  startOutboundCall,
} from "./outbound-call.ts";
import { writeOutboundHeaders } from "./outbound-headers.ts";
import { headersOf, textOf } from "./undici-headers.ts";

/**
 * A property of the request and no WeakMap: V8 keeps a young map's values through its small
 * collections, which made the spans of a busy service grow old and cost it a fifth of its time.
 */
const CALL = Symbol("clew.call");

/** What is used of undici's request; version 5 keeps headers as text, later ones as a flat list. */
interface UndiciRequest {
  [CALL]?: OutboundCall;
  readonly method?: unknown;
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly headers?: unknown;
  readonly addHeader?: unknown;
}

/**
 * Follows every request of `fetch` and of undici, by undici's channels. A redirect is a request of
 * its own here, so that the headers are decided anew for each host and none leak to another.
 */
export function instrumentUndiciClient(options: OutboundOptions): void {
  subscribe(
    "undici:request:create",
    guard("undici-client", (message) => {
      const request = requestOf(message);
      const to = request === undefined ? undefined : destinationOf(request);
      if (request === undefined || to === undefined) return;
      const call = startOutboundCall(to, options);
      if (call === undefined) return;
      request[CALL] = call;
      if (call.isAllowed) inject(request, call, options.runId);
    }),
  );
  const onCall = (channel: string, body: (call: OutboundCall, message: unknown) => void) =>
    subscribe(
      channel,
      guard("undici-client", (message) => {
        const request = requestOf(message);
        const call = request?.[CALL];
        if (call !== undefined) body(call, message);
      }),
    );
  onCall("undici:request:headers", (call, message) => {
    const { response } = message as { response?: { statusCode?: unknown; headers?: unknown } };
    if (typeof response?.statusCode !== "number") return;
    call.noteResponse(response.statusCode, findHeader(response.headers, HEADER.run));
  });
  onCall("undici:request:trailers", (call) => call.end());
  onCall("undici:request:error", (call, message) => {
    call.noteFailure((message as { error?: unknown }).error);
    call.end();
  });
}

function requestOf(message: unknown): UndiciRequest | undefined {
  const { request } = message as { request?: unknown };
  return typeof request === "object" && request !== null ? request : undefined;
}

function destinationOf(request: UndiciRequest): Destination | undefined {
  const url = URL.parse(String(request.origin));
  if (url === null) return undefined;
  return {
    method: String(request.method ?? "GET"),
    protocol: url.protocol,
    host: url.hostname,
    port: url.port === "" ? undefined : Number(url.port),
    path: typeof request.path === "string" ? request.path : "/",
    ownId: headersOf(request.headers).get(HEADER.transactionId),
  };
}

function inject(request: UndiciRequest, call: OutboundCall, runId: string | undefined): void {
  const { addHeader } = request;
  if (typeof addHeader !== "function") return;
  const own = headersOf(request.headers);
  call.isRunNamed = writeOutboundHeaders({
    context: call.context,
    transaction: call.transaction,
    span: call.span.spanContext(),
    runId,
    find: (name) => own.get(name),
    set: (name, value) => {
      addHeader.call(request, name, value);
    },
  });
}

/** Response headers are a flat list of names and values, as bytes or as text. */
function findHeader(headers: unknown, name: string): string | undefined {
  if (!Array.isArray(headers)) return undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (textOf(headers[i]).toLowerCase() === name) return textOf(headers[i + 1]);
  }
  return undefined;
}
