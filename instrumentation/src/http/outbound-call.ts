import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { STATUS } from "../tracing/recorded-span.ts";
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
  readonly runId: string;
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

export interface OutboundCall {
  readonly span: RecordedSpan;
  /** The context the request was made in. */
  readonly context: TransactionContext | undefined;
  readonly transaction: Transaction | undefined;
  /** Whether the destination may be told IDs. */
  readonly isAllowed: boolean;
}

const KIND_CLIENT = 2;
const ERROR_STATUS_MIN = 400;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/**
 * Starts the span of one outgoing request, or gives undefined where nothing is to be traced. A
 * call made outside of any transaction to a host that will be told begins one: the other side
 * would mint an ID anyway, and this way both know the same.
 */
export function startOutboundCall(
  to: Destination,
  options: OutboundOptions,
): OutboundCall | undefined {
  const context = findContext();
  if (context?.suppressed === true) return undefined;
  const isAllowed = options.isAllowedHost(to.host);
  const transaction = context?.transaction ?? beginTransaction(to, isAllowed);
  const span = options.tracer.start({
    name: methodSpanName(to.method),
    kind: KIND_CLIENT,
    parent: context?.span?.spanContext(),
    transaction,
  });
  if (span.isRecording()) describe(span, to);
  return { span, context, transaction, isAllowed };
}

function beginTransaction(to: Destination, isAllowed: boolean): Transaction | undefined {
  if (isTransactionId(to.ownId)) return { id: to.ownId, isStart: false, callerId: undefined };
  return isAllowed ? mintTransaction() : undefined;
}

/** Notes the answer's status and, where the server named its run, that. */
export function noteResponse(span: RecordedSpan, status: number, peerRunId: unknown): void {
  span.setAttribute(SEMANTIC.httpStatusCode, status);
  if (isTransactionId(peerRunId)) span.setAttribute(ATTRIBUTE.peerRunId, peerRunId);
  if (status < ERROR_STATUS_MIN) return;
  span.setAttribute(SEMANTIC.errorType, String(status));
  span.setStatus({ code: STATUS.error });
}

/** Notes that the call came to no answer, or that its answer broke off. */
export function noteFailure(span: RecordedSpan, error: unknown): void {
  const isError = error instanceof Error;
  const code = isError && "code" in error && typeof error.code === "string" ? error.code : "";
  span.setAttribute(SEMANTIC.errorType, code || (isError ? error.name : "_OTHER"));
  span.setStatus({ code: STATUS.error, message: isError ? error.message : "" });
}

function describe(span: RecordedSpan, to: Destination): void {
  const known = knownMethod(to.method);
  span.addAttribute(SEMANTIC.httpMethod, known);
  if (known === OTHER_METHOD) span.addAttribute(SEMANTIC.httpMethodOriginal, to.method);
  const port = to.port ?? DEFAULT_PORTS[to.protocol];
  const isDefault = port === DEFAULT_PORTS[to.protocol];
  const authority = isDefault || port === undefined ? to.host : `${to.host}:${port}`;
  // Credentials and the query are left out: they are where secrets stand.
  const question = to.path.indexOf("?");
  const path = question === -1 ? to.path : to.path.slice(0, question);
  span.addAttribute(SEMANTIC.urlFull, `${to.protocol}//${authority}${path}`);
  span.addAttribute(SEMANTIC.serverAddress, to.host);
  if (port !== undefined) span.addAttribute(SEMANTIC.serverPort, port);
}
