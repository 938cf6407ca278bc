import { subscribe } from "node:diagnostics_channel";
import type { EventEmitter } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { isOwnServer } from "../metrics/own-server.ts";
import { nowMicros } from "../now-micros.ts";
import { guard } from "../stats.ts";
import { bindEmitter, type EmitterBinding } from "../transaction/bound-emitter.ts";
import { enterContext } from "../transaction/transaction-context.ts";
import { describeOnConnection } from "./connection-attributes.ts";
import { installEcho, setEcho } from "./echo-header.ts";
import { findExpressRoute } from "./frameworks/express-route.ts";
import { type HttpServerOptions, openServerSpan } from "./open-server-span.ts";
import { type ExchangeStart, ServerExchange } from "./server-exchange.ts";

/** Node's server listens to the end of each response to go on with the next one. */
const INTERNAL_LISTENERS = { finish: 1 } as const;

/** Gives every request that a node:http server takes its transaction and its span. */
export function instrumentHttpServer(options: HttpServerOptions): void {
  installEcho();
  subscribe(
    "http.server.request.start",
    guard("http-server", (message) => {
      const { request, response, server } = message as Record<string, unknown>;
      if (isOwnServer(server)) return;
      if (!(request instanceof IncomingMessage) || !(response instanceof ServerResponse)) return;
      begin(request, response, options);
    }),
  );
}

function begin(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
): void {
  const { headers } = request;
  const method = request.method ?? "GET";
  const opened = openServerSpan(headers, method, options);
  const { span, context, transaction, callerRunId, runId } = opened;
  const url = request.url ?? "/";
  if (span.isRecording()) describeOnConnection(span, request, { method, url, callerRunId });
  const exchange = new HttpExchange({ span, context, method, url, request, response });
  bindEmitter(request, exchange);
  bindEmitter(response, exchange);
  enterContext(context);
  setEcho(response, { id: transaction.id, runId });
}

interface HttpExchangeStart extends ExchangeStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A request of HTTP/1; itself the binding of its request and of its response. */
class HttpExchange extends ServerExchange implements EmitterBinding {
  readonly keepsInner = true;
  readonly internalListeners = INTERNAL_LISTENERS;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  /** When the last byte was handed to the system; the listeners of `finish` run after it. */
  #finishedMicros: number | undefined;

  constructor(start: HttpExchangeStart) {
    super(start);
    this.#request = start.request;
    this.#response = start.response;
  }

  beforeEvent(event: string | symbol): void {
    if (event === "finish") this.#finishedMicros = nowMicros();
  }

  /** Runs after the service's own listeners of `close`, so that the log lines in them count. */
  onEvent(event: string | symbol, _first: unknown, emitter: EventEmitter): void {
    if (event === "close" && (emitter !== this.#request || this.#isLost())) this.#finish();
  }

  protected override findRoute(): string | undefined {
    return super.findRoute() ?? findExpressRoute(this.#request);
  }

  /** A pipelined response that never got its turn has no socket and never hears of the end. */
  #isLost(): boolean {
    const hasNoTurn = this.#response.socket === null && this.#request.socket.destroyed;
    return hasNoTurn && this.#finishedMicros === undefined;
  }

  #finish(): void {
    const response = this.#response;
    this.end({
      status: response.headersSent ? response.statusCode : 0,
      isComplete: response.writableFinished,
      endMicros: this.#finishedMicros,
    });
  }
}
