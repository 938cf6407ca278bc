import { isExpectedError } from "../expected-error.ts";
import { findRequestObserver } from "../metrics/request-observer.ts";
import { type RecordedSpan, STATUS } from "../tracing/recorded-span.ts";
import { SAMPLED } from "../tracing/trace-context.ts";
import type { TransactionTracer } from "../tracing/transaction-tracer.ts";
import {
  findContext,
  mintTransaction,
  type Transaction,
  type TransactionContext,
} from "../transaction/transaction-context.ts";
import { isTransactionId } from "../transaction/transaction-id.ts";
import { ATTRIBUTE, SEMANTIC } from "../wire-names.ts";
import type { HostFilter } from "./host-filter.ts";
import { knownMethod, methodSpanName, OTHER_METHOD } from "./http-method.ts";

export interface OutboundOptions {
  readonly tracer: TransactionTracer;
  readonly isAllowedHost: HostFilter;
  /** Named to who is called; undefined where this process makes no spans of its own. */
  readonly runId: string | undefined;
}

/** Where a request goes, as far as the client's own object says. */
export interface Destination {
  readonly method: string;
  /** `http:` or `https:`. */
  readonly protocol: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly path: string;
  /** The X-Transaction-ID that the service itself put on the request. */
  readonly ownId: string | undefined;
}

const KIND_CLIENT = 2;
const ERROR_STATUS_MIN = 400;
const OTHER_ERROR = "_OTHER";
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** One request on its way out, from its making to the end of its answer. */
export class OutboundCall {
  readonly span: RecordedSpan;
  /** The context the request was made in. */
  readonly context: TransactionContext | undefined;
  readonly transaction: Transaction | undefined;
  /** Whether the destination may be told IDs. */
  readonly isAllowed: boolean;
  /** Whether our run was named to who is called: then the run in its answer is its own. */
  isRunNamed = false;
  readonly #to: Destination;
  #status = 0;
  #errorType: string | undefined;
  #isExpected = false;

  constructor(parts: CallParts) {
    this.span = parts.span;
    this.context = parts.context;
    this.transaction = parts.transaction;
    this.isAllowed = parts.isAllowed;
    this.#to = parts.to;
  }

  /** Notes the answer's status and, where the server named its run, that. */
  noteResponse(status: number, peerRunId: unknown): void {
    const { span } = this;
    this.#status = status;
    span.setAttribute(SEMANTIC.httpStatusCode, status);
    if (this.isRunNamed && isTransactionId(peerRunId)) {
      span.setAttribute(ATTRIBUTE.peerRunId, peerRunId);
    }
    if (status >= ERROR_STATUS_MIN) this.#fail(String(status), "");
  }

  /** Notes that the call came to no answer, or that its answer broke off. */
  noteFailure(error: unknown): void {
    const isError = error instanceof Error;
    const code = isError && "code" in error && typeof error.code === "string" ? error.code : "";
    // As where the caller gave up and said with what: `controller.abort(markExpected(reason))`.
    this.#isExpected = isExpectedError(error);
    this.#fail(code || (isError ? error.name : OTHER_ERROR), isError ? error.message : "");
  }

  /** A second end changes nothing. */
  end(): void {
    const { span } = this;
    if (!span.isRecording()) return;
    span.end();
    const observer = findRequestObserver();
    if (observer === undefined) return;
    const context = span.spanContext();
    observer.client({
      method: knownMethod(this.#to.method),
      peer: authorityOf(this.#to),
      status: this.#status,
      errorType: this.#errorType,
      isExpected: this.#isExpected,
      durationMs: (span.endMicros - span.startMicros) / 1000,
      transactionId: this.transaction?.id,
      traceId: (context.traceFlags & SAMPLED) === SAMPLED ? context.traceId : undefined,
    });
  }

  #fail(errorType: string, message: string): void {
    this.#errorType = errorType;
    this.span.setAttribute(SEMANTIC.errorType, errorType);
    if (this.#isExpected) this.span.setAttribute(ATTRIBUTE.errorExpected, true);
    else this.span.setStatus({ code: STATUS.error, message });
  }
}

interface CallParts {
  readonly span: RecordedSpan;
  readonly context: TransactionContext | undefined;
  readonly transaction: Transaction | undefined;
  readonly isAllowed: boolean;
  readonly to: Destination;
}

/**
 * Starts the span of one outgoing request, or gives undefined where nothing is to be traced. A
 * call made outside of any transaction to a host that will be told begins one: the other side
 * would mint an ID anyway, and this way both know the same.
 */
export function startOutboundCall(
  given: Destination,
  options: OutboundOptions,
): OutboundCall | undefined {
  const context = findContext();
  if (context?.suppressed === true) return undefined;
  const to = finalDestination(given);
  const isAllowed = options.isAllowedHost(given.host) && options.isAllowedHost(to.host);
  const transaction = context?.transaction ?? beginTransaction(to, isAllowed);
  const span = options.tracer.start({
    name: methodSpanName(to.method),
    kind: KIND_CLIENT,
    parent: context?.span?.spanContext(),
    transaction,
  });
  if (span.isRecording()) describe(span, to);
  return new OutboundCall({ span, context, transaction, isAllowed, to });
}

/**
 * Behind a proxy the headers go on to another host than the socket's: what is asked for has its
 * whole URL as path (RFC 9112 §3.2.2), or is named by CONNECT (§3.2.3).
 */
function finalDestination(to: Destination): Destination {
  if (to.path.startsWith("/") || to.path === "*") return to;
  const url = URL.parse(to.method === "CONNECT" ? `https://${to.path}` : to.path);
  if (url === null) return to;
  return {
    ...to,
    protocol: url.protocol,
    host: url.hostname,
    port: url.port === "" ? undefined : Number(url.port),
    path: url.pathname,
  };
}

function beginTransaction(to: Destination, isAllowed: boolean): Transaction | undefined {
  if (isTransactionId(to.ownId)) return { id: to.ownId, isStart: false, callerId: undefined };
  return isAllowed ? mintTransaction() : undefined;
}

function describe(span: RecordedSpan, to: Destination): void {
  const known = knownMethod(to.method);
  span.addAttribute(SEMANTIC.httpMethod, known);
  if (known === OTHER_METHOD) span.addAttribute(SEMANTIC.httpMethodOriginal, to.method);
  const port = portOf(to);
  // Credentials and the query are left out: they are where secrets stand.
  const question = to.path.indexOf("?");
  const path = question === -1 ? to.path : to.path.slice(0, question);
  span.addAttribute(SEMANTIC.urlFull, `${to.protocol}//${authorityOf(to)}${path}`);
  span.addAttribute(SEMANTIC.serverAddress, to.host);
  if (port !== undefined) span.addAttribute(SEMANTIC.serverPort, port);
}

function portOf(to: Destination): number | undefined {
  return to.port ?? DEFAULT_PORTS[to.protocol];
}

/** Host and port, without a port that goes without saying. */
function authorityOf(to: Destination): string {
  const port = portOf(to);
  const isDefault = port === undefined || port === DEFAULT_PORTS[to.protocol];
  return isDefault ? to.host : `${to.host}:${port}`;
}
