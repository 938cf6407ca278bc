import { isExpectedError } from "../expected-error.ts";
import { describeException } from "../logging/exception.ts";
import { findRequestObserver } from "../metrics/request-observer.ts";
import { nowMicros } from "../now-micros.ts";
import { countFault } from "../stats.ts";
import { type RecordedSpan, STATUS } from "../tracing/recorded-span.ts";
import { SAMPLED } from "../tracing/trace-context.ts";
import { findBinding } from "../transaction/bound-emitter.ts";
import type { Transaction, TransactionContext } from "../transaction/transaction-context.ts";
import { ATTRIBUTE, SEMANTIC } from "../wire-names.ts";
import { knownMethod, methodSpanName } from "./http-method.ts";
import { PathShapes } from "./path-shapes.ts";

const ERROR_STATUS_MIN = 500;
const CLIENT_ERROR_STATUS_MIN = 400;
/** Paths that lead nowhere are whatever a scanner tries. */
const NOT_FOUND = 404;
const ABORTED = "aborted";
const OTHER_ERROR = "_OTHER";
/** A request fails once; an error handler that fails as well makes a second. */
const FAILURES_MAX = 8;
const EXCHANGE = Symbol("clew.exchange");
const MARK = Symbol.for("clew.server-exchange");
const shapes = new PathShapes();

interface Tied extends Transaction {
  [EXCHANGE]?: ServerExchange | undefined;
}

export interface ExchangeStart {
  readonly span: RecordedSpan;
  readonly context: TransactionContext;
  readonly method: string;
  /** The request's target as it came, with its query. */
  readonly url: string;
}

export interface ExchangeEnd {
  /** 0 where no answer was begun. */
  readonly status: number;
  /** Whether the answer went out to its end. */
  readonly isComplete: boolean;
  /** When its last byte was handed to the system; now, where undefined. */
  readonly endMicros?: number | undefined;
}

interface Failure {
  readonly error: unknown;
  readonly timeMicros: number;
}

/**
 * One request being answered, over whichever protocol: gathers what frameworks tell of it and ends
 * its span. What went wrong is judged at the end, because only the status tells whether an error
 * was one: those answered with a 4xx, and those marked by `markExpected`, belong to the business.
 */
export class ServerExchange {
  readonly context: TransactionContext;
  readonly span: RecordedSpan;
  readonly #method: string;
  readonly #url: string;
  #route: string | undefined;
  #askRoute: (() => string | undefined) | undefined;
  #failures: Failure[] | undefined;
  #isEnded = false;

  constructor(start: ExchangeStart) {
    this.context = start.context;
    this.span = start.span;
    this.#method = start.method;
    this.#url = start.url;
    const tied: Tied | undefined = start.context.transaction;
    if (tied !== undefined) tied[EXCHANGE] = this;
  }

  /** The template of the route that answers, with every prefix it is mounted under. */
  noteRoute(route: string): void {
    this.#route = route === "" ? "/" : route;
  }

  get [MARK](): true {
    return true;
  }

  get hasRoute(): boolean {
    return this.#route !== undefined;
  }

  /** For frameworks that know the route only later: asked at the end, where none was noted. */
  askRoute(find: () => string | undefined): void {
    this.#askRoute = find;
  }

  /** An error that the framework got from the service's code. Each is noted once. */
  noteError(error: unknown): void {
    this.#failures ??= [];
    if (this.#failures.length >= FAILURES_MAX) return;
    if (this.#failures.some((failure) => failure.error === error)) return;
    this.#failures.push({ error, timeMicros: nowMicros() });
  }

  /** Asked at the end where no framework told the route. */
  protected findRoute(): string | undefined {
    return this.#askRoute?.();
  }

  /** A second end changes nothing. */
  end(end: ExchangeEnd): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { span } = this;
    // A timer that outlives the request holds its transaction, and must not hold the request.
    const tied: Tied | undefined = this.context.transaction;
    if (tied !== undefined) tied[EXCHANGE] = undefined;
    this.#route ??= this.#ownRoute();
    const failure = this.#failures?.at(-1);
    const errorType = errorTypeOf(end, failure);
    const isExpected = isExpectedEnd(end, failure);
    if (span.isRecording()) {
      this.#nameSpan(end.status);
      if (end.status > 0) span.setAttribute(SEMANTIC.httpStatusCode, end.status);
      this.#describeOutcome({ end, errorType, isExpected });
    }
    span.endAt(end.endMicros);
    this.#tellObserver({ end, errorType, isExpected });
  }

  #ownRoute(): string | undefined {
    try {
      return this.findRoute();
    } catch (error) {
      countFault("framework", error);
      return undefined;
    }
  }

  /** By the route, else by the path's shape, and never over a name that the service gave. */
  #nameSpan(status: number): void {
    const { span } = this;
    const route = this.#route;
    if (route !== undefined) span.setAttribute(SEMANTIC.httpRoute, route);
    const name = methodSpanName(this.#method);
    if (span.name !== name) return;
    const shape = status === NOT_FOUND ? undefined : shapes.find(pathOf(this.#url));
    const target = route ?? shape;
    if (target !== undefined) span.updateName(`${name} ${target}`);
  }

  #describeOutcome(of: { end: ExchangeEnd; errorType: string | undefined; isExpected: boolean }) {
    const { span } = this;
    const { end, errorType, isExpected } = of;
    for (const { error, timeMicros } of this.#failures ?? []) {
      const expected = isExpectedEnd(end, { error, timeMicros });
      span.addEvent(
        EXCEPTION_EVENT,
        { ...describeException(error), ...(expected ? EXPECTED : {}) },
        timeMicros / 1000,
      );
    }
    if (isExpected && this.#failures !== undefined) span.setAttributes(EXPECTED);
    if (isExpected || errorType === undefined) return;
    span.setAttribute(SEMANTIC.errorType, errorType);
    // A client that goes away is no fault of this service.
    const isOurs = this.#failures !== undefined || end.status >= ERROR_STATUS_MIN;
    if (isOurs && span.statusCode === STATUS.unset) span.setStatus({ code: STATUS.error });
  }

  #tellObserver(of: {
    end: ExchangeEnd;
    errorType: string | undefined;
    isExpected: boolean;
  }): void {
    const observer = findRequestObserver();
    if (observer === undefined) return;
    const { span } = this;
    const context = span.spanContext();
    observer.server({
      method: knownMethod(this.#method),
      route: this.#route,
      status: of.end.status,
      errorType: of.errorType,
      isExpected: of.isExpected,
      durationMs: (span.endMicros - span.startMicros) / 1000,
      transactionId: this.context.transaction?.id,
      traceId: (context.traceFlags & SAMPLED) === SAMPLED ? context.traceId : undefined,
    });
  }
}

const EXCEPTION_EVENT = "exception";
const EXPECTED = { [ATTRIBUTE.errorExpected]: true } as const;

/** The exchange of a request that a framework holds, or undefined where it is none of ours. */
export function findExchange(request: unknown): ServerExchange | undefined {
  const own = findBinding(request);
  if (isExchange(own)) return own;
  // A request of HTTP/2's compatibility API stands before its stream.
  const stream = (request as { stream?: unknown } | null | undefined)?.stream;
  const below = stream === undefined ? undefined : findBinding(stream);
  return isExchange(below) ? below : undefined;
}

/** By its mark and not by its class: it may have been made by another copy of this package. */
function isExchange(binding: object | undefined): binding is ServerExchange {
  return binding !== undefined && MARK in binding;
}

/** The exchange that a transaction came in by, while it is open. */
export function findOpenExchange(transaction: Transaction | undefined): ServerExchange | undefined {
  return (transaction as Tied | undefined)?.[EXCHANGE];
}

/** The target without its query, which is where people put secrets. */
export function pathOf(url: string): string {
  const question = url.indexOf("?");
  return question === -1 ? url : url.slice(0, question);
}

/** What went wrong, in few words: an error's class, a status, or that the answer broke off. */
function errorTypeOf(end: ExchangeEnd, failure: Failure | undefined): string | undefined {
  if (failure !== undefined && end.status >= ERROR_STATUS_MIN) return classOf(failure.error);
  if (end.isComplete) {
    return end.status >= CLIENT_ERROR_STATUS_MIN ? String(end.status) : undefined;
  }
  return failure === undefined ? ABORTED : classOf(failure.error);
}

function isExpectedEnd({ status }: ExchangeEnd, failure: Failure | undefined): boolean {
  if (status >= CLIENT_ERROR_STATUS_MIN && status < ERROR_STATUS_MIN) return true;
  return failure !== undefined && isExpectedError(failure.error);
}

function classOf(error: unknown): string {
  return describeException(error)[SEMANTIC.exceptionType] ?? OTHER_ERROR;
}
