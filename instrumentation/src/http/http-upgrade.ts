import type { EventEmitter } from "node:events";
import { IncomingMessage, Server } from "node:http";
import { Duplex } from "node:stream";
import { patchBuiltin } from "../loading/builtin-hooks.ts";
import { isOwnServer } from "../metrics/own-server.ts";
import { countFault, guard } from "../stats.ts";
import { bindEmitter, type EmitterBinding } from "../transaction/bound-emitter.ts";
import { runIn } from "../transaction/transaction-context.ts";
import { factsOf } from "./connection-attributes.ts";
import { describeRequest } from "./describe-request.ts";
import { type HttpServerOptions, openServerSpan } from "./open-server-span.ts";
import { type ExchangeStart, ServerExchange } from "./server-exchange.ts";

/** Both hand over the socket, and no channel tells of them. */
const HANDOVERS: ReadonlySet<unknown> = new Set(["upgrade", "connect"]);
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n/;
const ECHO_HEADER = /\r\nx-transaction-id:/i;
const WATCHED = Symbol("clew.upgrades-watched");

/**
 * Gives upgrades (WebSocket) and CONNECT their transaction and span. Only servers that listen for
 * them are changed, when they begin to: others keep their own `emit`.
 */
export function instrumentUpgrades(options: HttpServerOptions): void {
  watchListeners(Server.prototype, options);
  patchBuiltin("node:https", (https) => {
    const { Server: TlsServer } = https as { Server: { prototype: Server } };
    watchListeners(TlsServer.prototype, options);
  });
}

type Listen = (this: EventEmitter, event: string | symbol, listener: () => void) => EventEmitter;

/** `once` and `prependOnceListener` call these. */
const LISTEN_METHODS = ["on", "addListener", "prependListener"] as const;

function watchListeners(prototype: EventEmitter, options: HttpServerOptions): void {
  const watch = guard("upgrade", (server: WatchedServer) => watchEmits(server, options));
  for (const method of LISTEN_METHODS) {
    const original = prototype[method] as Listen;
    const listen: Listen = function listen(event, listener) {
      if (HANDOVERS.has(event)) watch(this);
      return original.call(this, event, listener);
    };
    Object.defineProperty(prototype, method, { value: listen, writable: true, configurable: true });
  }
}

interface WatchedServer extends EventEmitter {
  [WATCHED]?: true;
}

function watchEmits(server: WatchedServer, options: HttpServerOptions): void {
  if (server[WATCHED] === true || isOwnServer(server)) return;
  server[WATCHED] = true;
  const { emit } = server;
  server.emit = function emitHandover(this: EventEmitter, event, ...rest) {
    const exchange = HANDOVERS.has(event) ? begin(rest, options) : undefined;
    if (exchange === undefined) return emit.call(this, event, ...rest);
    return runIn(exchange.context, () => emit.call(this, event, ...rest));
  };
}

function begin(
  [request, socket]: readonly unknown[],
  options: HttpServerOptions,
): UpgradeExchange | undefined {
  if (!(request instanceof IncomingMessage) || !(socket instanceof Duplex)) return undefined;
  try {
    const method = request.method ?? "GET";
    const url = request.url ?? "/";
    const opened = openServerSpan(request.headers, method, options);
    const { span, context, transaction, callerRunId, runId } = opened;
    describeRequest(span, factsOf(request, { method, url, callerRunId }));
    const echo = `X-Transaction-ID: ${transaction.id}\r\n`;
    const lines = runId ? `${echo}Clew-Run: ${runId}\r\n` : echo;
    const exchange = new UpgradeExchange({ span, context, method, url, socket, lines });
    bindEmitter(request, exchange);
    bindEmitter(socket, exchange);
    exchange.watchHead();
    return exchange;
  } catch (error) {
    countFault("upgrade", error);
    return undefined;
  }
}

interface UpgradeStart extends ExchangeStart {
  readonly socket: Duplex;
  /** Our headers of the answer. */
  readonly lines: string;
}

/**
 * The request that changes the protocol. Its span ends with the answer's head, because what
 * follows may take days; the socket's events stay in the transaction for as long as it lives.
 */
class UpgradeExchange extends ServerExchange implements EmitterBinding {
  readonly keepsInner = true;
  readonly #socket: Duplex;
  readonly #lines: string;

  constructor(start: UpgradeStart) {
    super(start);
    this.#socket = start.socket;
    this.#lines = start.lines;
  }

  onEvent(event: string | symbol): void {
    if (event === "close") this.end({ status: 0, isComplete: false });
  }

  /** The answer's head is written by the service itself, as text: the first thing it writes. */
  watchHead(): void {
    const socket = this.#socket;
    const { write, end } = socket;
    const restore = () => {
      socket.write = write;
      socket.end = end;
    };
    const take = (chunk: unknown): unknown => {
      restore();
      return this.#takeHead(chunk);
    };
    const pass = (method: Duplex["write"] | Duplex["end"]) =>
      function passHead(this: Duplex, ...args: unknown[]) {
        if (args.length > 0) args[0] = take(args[0]);
        return Reflect.apply(method, this, args);
      };
    socket.write = pass(write) as Duplex["write"];
    socket.end = pass(end) as Duplex["end"];
  }

  /** The head with our headers, where it is one and has none of its own. */
  #takeHead(chunk: unknown): unknown {
    try {
      const isText = typeof chunk === "string";
      if (!isText && !Buffer.isBuffer(chunk)) return chunk;
      const text = isText ? chunk : chunk.toString("latin1");
      const statusLine = STATUS_LINE.exec(text);
      if (statusLine === null) return chunk;
      this.end({ status: Number(statusLine[1]), isComplete: true });
      if (ECHO_HEADER.test(text.slice(0, text.indexOf("\r\n\r\n") + 2))) return chunk;
      const at = statusLine[0].length;
      const answer = text.slice(0, at) + this.#lines + text.slice(at);
      return isText ? answer : Buffer.from(answer, "latin1");
    } catch (error) {
      countFault("upgrade", error);
      return chunk;
    }
  }
}
