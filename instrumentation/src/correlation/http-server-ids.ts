import type { IncomingHttpHeaders } from "node:http";
import { installEcho, setEcho } from "../http/echo-header.ts";
import { findSpanContext } from "../tracing/trace-context.ts";
import { bindEmitter, type EmitterBinding } from "../transaction/bound-emitter.ts";
import { findInboundTransaction } from "../transaction/inbound-transaction.ts";
import { enterContext, TransactionContext } from "../transaction/transaction-context.ts";
import { HEADER } from "../wire-names.ts";
import { builtinHttp } from "./builtin-http.ts";
import { RemoteSpan } from "./remote-span.ts";

/** Node's server listens to the end of each response to go on with the next one. */
const INTERNAL_LISTENERS = { finish: 1 } as const;

/**
 * Gives a request that a node:http server takes its transaction, and nothing else: the message of
 * the channel `http.server.request.start`.
 */
export function takeServerRequest(message: unknown, trustInbound: boolean): void {
  const { request, response } = message as { request?: unknown; response?: unknown };
  const { IncomingMessage, ServerResponse } = builtinHttp();
  if (!(request instanceof IncomingMessage) || !(response instanceof ServerResponse)) return;
  const headers = isToldIds(request.rawHeaders) ? request.headers : NO_HEADERS;
  const { transaction, baggage } = findInboundTransaction(headers, trustInbound);
  const context = new TransactionContext({
    transaction,
    baggage,
    span: trustInbound ? remoteSpan(headers) : undefined,
  });
  const binding: EmitterBinding = {
    context,
    keepsInner: true,
    internalListeners: INTERNAL_LISTENERS,
  };
  bindEmitter(request, binding);
  bindEmitter(response, binding);
  enterContext(context);
  installEcho();
  setEcho(response, { id: transaction.id, runId: undefined });
}

const NO_HEADERS: IncomingHttpHeaders = {};
const NAMES: ReadonlySet<string> = new Set([
  HEADER.transactionId,
  HEADER.correlationId,
  HEADER.baggage,
  HEADER.traceparent,
]);
const NAME_LENGTHS = new Set([...NAMES].map((name) => name.length));

/**
 * Whether a caller says anything of a transaction or a trace. Most of those outside do not, and the
 * getter `request.headers` would build an object that many a service never asks for.
 */
function isToldIds(raw: readonly string[]): boolean {
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (NAME_LENGTHS.has(name.length) && NAMES.has(name.toLowerCase())) return true;
  }
  return false;
}

/** The caller's trace goes on to whom we call, as if we had not been there. */
function remoteSpan(headers: IncomingHttpHeaders): RemoteSpan | undefined {
  if (headers[HEADER.traceparent] === undefined) return undefined;
  const context = findSpanContext(headers[HEADER.traceparent], headers[HEADER.tracestate]);
  return context === undefined ? undefined : new RemoteSpan(context);
}
