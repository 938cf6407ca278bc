import { subscribe } from "node:diagnostics_channel";
import { IncomingMessage, ServerResponse } from "node:http";
import { nowMicros } from "../now-micros.ts";
import { guard } from "../stats.ts";
import { type RecordedSpan, STATUS } from "../tracing/recorded-span.ts";
import { findSpanContext } from "../tracing/trace-context.ts";
import type { TransactionTracer } from "../tracing/transaction-tracer.ts";
import { bindEmitter, type EmitterBinding } from "../transaction/bound-emitter.ts";
import { findInboundTransaction } from "../transaction/inbound-transaction.ts";
import { enterContext, TransactionContext } from "../transaction/transaction-context.ts";
import { ATTRIBUTE, HEADER, SEMANTIC } from "../wire-names.ts";
import { splitHost } from "./host-header.ts";
import { knownMethod, methodSpanName, OTHER_METHOD } from "./http-method.ts";
import { PathShapes } from "./path-shapes.ts";

export interface HttpServerOptions {
  readonly tracer: TransactionTracer;
  readonly trustInbound: boolean;
  readonly runId: string;
}

const KIND_SERVER = 1;
const ECHO_HEADER = "X-Transaction-ID";
const RUN_HEADER = "Clew-Run";
const ERROR_STATUS_MIN = 500;
/** Paths that lead nowhere are whatever a scanner tries. */
const NOT_FOUND = 404;
const shapes = new PathShapes();
const ABORTED = "aborted";
/** Node's server listens to the end of each response to go on with the next one. */
const INTERNAL_LISTENERS = { finish: 1 } as const;

/**
 * Gives every request that a node:http server takes its transaction and its span. Only a channel
 * and own properties are used: no function of Node's is replaced, so frameworks notice nothing.
 */
export function instrumentHttpServer(options: HttpServerOptions): void {
  subscribe(
    "http.server.request.start",
    guard("http-server", (message) => {
      const { request, response } = message as { request?: unknown; response?: unknown };
      if (!(request instanceof IncomingMessage) || !(response instanceof ServerResponse)) return;
      begin({ request, response, options });
    }),
  );
}

function begin(of: {
  request: IncomingMessage;
  response: ServerResponse;
  options: HttpServerOptions;
}): void {
  const { request, response, options } = of;
  const { headers } = request;
  const { trustInbound } = options;
  const { transaction, baggage } = findInboundTransaction(headers, trustInbound);
  const remote = findSpanContext(headers[HEADER.traceparent], headers[HEADER.tracestate]);
  const method = request.method ?? "GET";
  const span = options.tracer.start({
    name: methodSpanName(method),
    kind: KIND_SERVER,
    parent: trustInbound ? remote : undefined,
    transaction,
  });
  // A caller that is not trusted cannot join our trace, but the way back to its own is kept.
  if (!trustInbound && remote !== undefined) span.addLink({ context: remote });
  if (span.isRecording()) describeRequest(span, request, method);
  if (transaction.callerId !== undefined) {
    span.addAttribute(ATTRIBUTE.callerTransactionId, transaction.callerId);
  }
  const context = new TransactionContext({ transaction, span, baggage });
  const exchange = new Exchange({ request, response, span, context });
  bindEmitter(request, exchange.requestBinding);
  bindEmitter(response, exchange);
  enterContext(context);
  response.setHeader(ECHO_HEADER, transaction.id);
  if (headers[HEADER.run] !== undefined) response.setHeader(RUN_HEADER, options.runId);
}

interface ExchangeParts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly span: RecordedSpan;
  readonly context: TransactionContext;
}

/** One request being answered; itself the binding of its response. */
class Exchange implements EmitterBinding {
  readonly keepsInner = true;
  readonly internalListeners = INTERNAL_LISTENERS;
  readonly context: TransactionContext;
  readonly #parts: ExchangeParts;
  /** When the last byte was handed to the system; the listeners of `finish` run after it. */
  #finishedMicros: number | undefined;

  constructor(parts: ExchangeParts) {
    this.context = parts.context;
    this.#parts = parts;
  }

  get requestBinding(): EmitterBinding {
    const onEvent = (event: string | symbol) => {
      if (event === "close") this.#onRequestClosed();
    };
    return { context: this.context, keepsInner: true, onEvent };
  }

  beforeEvent(event: string | symbol): void {
    if (event === "finish") this.#finishedMicros = nowMicros();
  }

  /** Runs after the service's own listeners of `close`, so that the log lines in them count. */
  onEvent(event: string | symbol): void {
    if (event === "close") this.#end();
  }

  /** A pipelined response that never got its turn has no socket and never hears of the end. */
  #onRequestClosed(): void {
    const { request, response } = this.#parts;
    const isLost = response.socket === null && request.socket.destroyed;
    if (isLost && this.#finishedMicros === undefined) this.#end();
  }

  #end(): void {
    const { request, response, span } = this.#parts;
    if (span.isRecording()) describeResponse({ request, response, span });
    span.endAt(this.#finishedMicros);
  }
}

function describeRequest(span: RecordedSpan, request: IncomingMessage, method: string): void {
  const { headers, socket } = request;
  const known = knownMethod(method);
  span.addAttribute(SEMANTIC.httpMethod, known);
  if (known === OTHER_METHOD) span.addAttribute(SEMANTIC.httpMethodOriginal, method);
  // The query is left out: it is where people put secrets.
  span.addAttribute(SEMANTIC.urlPath, pathOf(request.url ?? "/"));
  span.addAttribute(SEMANTIC.urlScheme, "encrypted" in socket ? "https" : "http");
  if (headers.host !== undefined) describeHost(span, headers.host);
  const { remoteAddress } = socket;
  if (remoteAddress !== undefined) span.addAttribute(SEMANTIC.clientAddress, remoteAddress);
  const agent = headers["user-agent"];
  if (agent !== undefined) span.addAttribute(SEMANTIC.userAgent, agent);
  span.addAttribute(SEMANTIC.networkProtocolVersion, request.httpVersion);
}

function describeHost(span: RecordedSpan, header: string): void {
  const { host, port } = splitHost(header);
  span.addAttribute(SEMANTIC.serverAddress, host);
  if (port !== undefined) span.addAttribute(SEMANTIC.serverPort, port);
}

function describeResponse(of: {
  request: IncomingMessage;
  response: ServerResponse;
  span: RecordedSpan;
}): void {
  const { request, response, span } = of;
  const route = findRoute(request);
  if (route !== undefined) span.setAttribute(SEMANTIC.httpRoute, route);
  const status = response.statusCode;
  const name = methodSpanName(request.method ?? "GET");
  // Not over a name that the service gave the span itself.
  if (span.name === name) {
    const target =
      route ?? (status === NOT_FOUND ? undefined : shapes.find(pathOf(request.url ?? "/")));
    if (target !== undefined) span.updateName(`${name} ${target}`);
  }
  if (response.headersSent) span.setAttribute(SEMANTIC.httpStatusCode, status);
  if (!response.writableFinished) {
    span.setAttribute(SEMANTIC.errorType, ABORTED);
  } else if (status >= ERROR_STATUS_MIN) {
    span.setAttribute(SEMANTIC.errorType, String(status));
    if (span.statusCode === STATUS.unset) span.setStatus({ code: STATUS.error });
  }
}

/** Express leaves the matched route on the request: its template, below where it is mounted. */
function findRoute(request: IncomingMessage): string | undefined {
  if (!("route" in request)) return undefined;
  const { route } = request;
  if (typeof route !== "object" || route === null || !("path" in route)) return undefined;
  if (typeof route.path !== "string") return undefined;
  const base = "baseUrl" in request && typeof request.baseUrl === "string" ? request.baseUrl : "";
  return base + route.path;
}

function pathOf(url: string): string {
  const question = url.indexOf("?");
  return question === -1 ? url : url.slice(0, question);
}
