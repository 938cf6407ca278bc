import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { nowMicros } from "../now-micros.ts";
import { countFault } from "../stats.ts";
import { bindEmitter, type EmitterBinding, findBinding } from "../transaction/bound-emitter.ts";
import { runIn } from "../transaction/transaction-context.ts";
import { HEADER } from "../wire-names.ts";
import { describeRequest } from "./describe-request.ts";
import { type HttpServerOptions, openServerSpan } from "./open-server-span.ts";
import { type ExchangeStart, pathOf, ServerExchange } from "./server-exchange.ts";

const NO_ERROR = 0;

/**
 * Gives every stream that an HTTP/2 server takes its transaction and span, for the core API
 * (`stream`) and the compatibility API (`request`) alike: the second is made in a listener of the
 * first.
 */
export function watchHttp2Server(server: EventEmitter, options: HttpServerOptions): void {
  const { emit } = server;
  server.emit = function emitStream(this: EventEmitter, event, ...rest) {
    const exchange = event === "stream" ? begin(rest, options) : undefined;
    if (exchange === undefined) return emit.call(this, event, ...rest);
    return runIn(exchange.context, () => emit.call(this, event, ...rest));
  };
}

function begin(
  [stream, headers]: readonly unknown[],
  options: HttpServerOptions,
): Http2Exchange | undefined {
  try {
    if (!(stream instanceof EventEmitter) || typeof headers !== "object" || headers === null) {
      return undefined;
    }
    return open(stream as ServerHttp2Stream, headers as IncomingHttpHeaders, options);
  } catch (error) {
    countFault("http2", error);
    return undefined;
  }
}

function open(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: HttpServerOptions,
): Http2Exchange {
  const method = textOf(headers[":method"]) ?? "GET";
  const url = textOf(headers[":path"]) ?? "/";
  const { span, context, transaction, callerRunId, runId } = openServerSpan(
    headers,
    method,
    options,
  );
  describeRequest(span, {
    method,
    path: pathOf(url),
    scheme: textOf(headers[":scheme"]) ?? "http",
    host: textOf(headers[":authority"]) ?? headers.host,
    userAgent: headers["user-agent"],
    clientAddress: stream.session?.socket?.remoteAddress,
    protocolVersion: "2",
    callerRunId,
  });
  const echo: Record<string, string> = { [HEADER.transactionId]: transaction.id };
  if (runId !== undefined) echo[HEADER.run] = runId;
  const exchange = new Http2Exchange({ span, context, method, url, stream, echo });
  bindEmitter(stream, exchange);
  echoOnRespond(stream);
  return exchange;
}

interface Http2Start extends ExchangeStart {
  readonly stream: ServerHttp2Stream;
  readonly echo: Readonly<Record<string, string>>;
}

/** One stream of an HTTP/2 server; itself the binding of its stream. */
class Http2Exchange extends ServerExchange implements EmitterBinding {
  readonly keepsInner = true;
  readonly echo: Readonly<Record<string, string>>;
  readonly #stream: ServerHttp2Stream;
  #finishedMicros: number | undefined;

  constructor(start: Http2Start) {
    super(start);
    this.#stream = start.stream;
    this.echo = start.echo;
  }

  /** The answer to HEAD is "finished" before it is given. */
  beforeEvent(event: string | symbol): void {
    if (event === "finish" && this.#stream.headersSent) this.#finishedMicros = nowMicros();
  }

  /** Runs after the service's own listeners of `close`, so that the log lines in them count. */
  onEvent(event: string | symbol, first: unknown): void {
    if (event === "error") this.noteError(first);
    if (event !== "close") return;
    const stream = this.#stream;
    const status = Number(stream.sentHeaders?.[":status"] ?? 0);
    this.end({
      status: stream.headersSent ? status : 0,
      isComplete: stream.writableFinished && stream.rstCode === NO_ERROR,
      endMicros: this.#finishedMicros,
    });
  }
}

type Respond = (this: ServerHttp2Stream, ...args: unknown[]) => unknown;

/** Where the headers stand among the arguments of the three ways to answer. */
const RESPOND_METHODS = { respond: 0, respondWithFD: 1, respondWithFile: 1 } as const;

/** Own properties of the stream, because its class is nothing that Node exports. */
function echoOnRespond(stream: ServerHttp2Stream): void {
  for (const [name, at] of Object.entries(RESPOND_METHODS)) {
    const original: unknown = Reflect.get(stream, name);
    if (typeof original !== "function") continue;
    const respond: Respond = function respond(...args) {
      const binding = findBinding(this);
      if (binding instanceof Http2Exchange) args[at] = withEcho(args[at], binding.echo);
      return Reflect.apply(original, this, args);
    };
    Object.defineProperty(stream, name, { value: respond, writable: true, configurable: true });
  }
}

/**
 * A copy with our headers, never over the service's own, a run apart: see `OpenedSpan.runId`. What
 * is no list of headers stays.
 */
function withEcho(headers: unknown, echo: Readonly<Record<string, string>>): unknown {
  const isCopied = (name: unknown) => HEADER.run in echo && lower(name) === HEADER.run;
  const addedTo = (names: readonly unknown[]) => {
    const own = new Set(names.map(lower).filter((name) => !isCopied(name)));
    return Object.entries(echo).filter(([name, value]) => value !== "" && !own.has(name));
  };
  if (Array.isArray(headers)) {
    const kept = headers.filter((_, i) => !isCopied(headers[i - (i % 2)]));
    return [...kept, ...addedTo(headers.filter((_, i) => i % 2 === 0)).flat()];
  }
  if (headers !== undefined && (typeof headers !== "object" || headers === null)) return headers;
  // With its symbols: one of them lists the headers that must not be compressed.
  const copy: Record<string, unknown> = { ...headers };
  for (const name of Object.keys(copy)) if (isCopied(name)) delete copy[name];
  return Object.assign(copy, Object.fromEntries(addedTo(Object.keys(copy))));
}

function lower(name: unknown): string {
  return String(name).toLowerCase();
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
