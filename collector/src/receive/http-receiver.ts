import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { type Config, VARIABLE } from "../config.ts";
import { type Reply, send } from "./http-reply.ts";
import { listen } from "./listen.ts";

/** What answers requests of one protocol on the port that is shared. */
export interface HttpDoor {
  handles(path: string): boolean;
  /** Never rejects: what goes wrong is an answer too. */
  answer(request: IncomingMessage): Promise<Reply>;
}

export interface HttpReceiverOptions {
  readonly config: Pick<Config, "host" | "otlpHttpPort" | "tls">;
  /** The first that handles a path answers; the last is asked whatever the path is. */
  readonly doors: readonly [...HttpDoor[], HttpDoor];
  readonly timeouts?: Partial<ReceiveTimeouts>;
}

export interface ReceiveTimeouts {
  /** From the connection, or the first byte, to the last header. */
  readonly headersMs: number;
  /** From the last header to the last byte of the body; each door keeps it. */
  readonly bodyMs: number;
  /** Until `stop` cuts off requests that have not ended. */
  readonly stopMs: number;
}

export const RECEIVE_TIMEOUTS: ReceiveTimeouts = {
  headersMs: 10_000,
  bodyMs: 30_000,
  stopMs: 10_000,
};

/** Longer than the idle time of usual clients and proxies, so that they close first, not we. */
const KEEP_ALIVE_MS = 75_000;
const CHECK_INTERVAL_MS_MAX = 5_000;

/**
 * The port that OTLP/HTTP, `_bulk` and NDJSON share. Bare `node:http`: a framework took 423 µs per
 * batch where this takes 253.
 */
export class HttpReceiver {
  private readonly options: HttpReceiverOptions;
  private readonly timeouts: ReceiveTimeouts;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly requestsBySocket = new Map<Socket, number>();
  private stopped: Promise<void> | undefined;

  constructor(options: HttpReceiverOptions) {
    this.options = options;
    this.timeouts = { ...RECEIVE_TIMEOUTS, ...options.timeouts };
    const { headersMs, bodyMs } = this.timeouts;
    const bounds = {
      headersTimeout: headersMs,
      // A body has a deadline of its own, which answers in the sender's format, before this one.
      requestTimeout: 2 * (headersMs + bodyMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(headersMs, CHECK_INTERVAL_MS_MAX),
    };
    const { tls } = options.config;
    this.server =
      tls === undefined
        ? createServer(bounds)
        : createTlsServer({ ...bounds, handshakeTimeout: headersMs, cert: tls.cert, key: tls.key });
    this.server.on("connection", (socket) => this.keep(socket));
    // Requests are on the socket that encrypts, which is there once the handshake has ended.
    const opened = tls === undefined ? "connection" : "secureConnection";
    this.server.on(opened, (socket) => this.watch(socket));
    this.server.on("request", (request, response) => void this.handle(request, response));
  }

  /** @throws ClewError PORT_IN_USE, or CONFIG_INVALID where the address cannot be listened on. */
  async start(): Promise<{ port: number }> {
    const { host, otlpHttpPort: port } = this.options.config;
    return listen(this.server, { host, port, portVariable: VARIABLE.otlpHttpPort });
  }

  /** Takes no more requests, and resolves when every one taken so far is answered. */
  stop(): Promise<void> {
    this.stopped ??= this.drain();
    return this.stopped;
  }

  private async drain(): Promise<void> {
    if (!this.server.listening) return;
    const timer = setTimeout(() => this.cutOff(), this.timeouts.stopMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.close(() => resolve());
    // Node takes a connection on which no request came yet for a busy one, and would wait for it.
    for (const [socket, requests] of this.requestsBySocket) if (requests === 0) socket.destroy();
    if (this.requestsBySocket.size === 0) this.cutOff();
    await promise;
    clearTimeout(timer);
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    this.count(socket, 1);
    response.once("close", () => this.count(socket, -1));
    const reply = await this.doorOf(request).answer(request);
    send(reply, { request, response, isLast: this.stopped !== undefined });
  }

  private doorOf({ url = "" }: IncomingMessage): HttpDoor {
    const { doors } = this.options;
    const [path = ""] = url.split("?", 1);
    return doors.find((door) => door.handles(path)) ?? (doors.at(-1) as HttpDoor);
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
  }

  private watch(socket: Socket): void {
    if (this.stopped !== undefined) {
      socket.destroy();
      return;
    }
    this.requestsBySocket.set(socket, 0);
    socket.once("close", () => {
      this.requestsBySocket.delete(socket);
      // What is left then are handshakes that have not ended.
      if (this.stopped !== undefined && this.requestsBySocket.size === 0) this.cutOff();
    });
  }

  private cutOff(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private count(socket: Socket, change: 1 | -1): void {
    const requests = this.requestsBySocket.get(socket);
    if (requests === undefined) return;
    this.requestsBySocket.set(socket, requests + change);
    // Its answer may have left just before `stop`, and promised that the connection stays.
    if (this.stopped !== undefined && requests + change === 0) socket.destroySoon();
  }
}
