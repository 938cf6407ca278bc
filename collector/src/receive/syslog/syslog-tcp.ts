import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { NetworkList } from "../../network-list.ts";
import type { TlsIdentity } from "../../tls-files.ts";
import { type ListenAddress, listen } from "../listen.ts";
import type { SyslogCounts } from "./syslog-counts.ts";
import type { SyslogDoor, SyslogSender } from "./syslog-door.ts";
import { SyslogFrames } from "./syslog-frames.ts";
import type { SyslogQueue } from "./syslog-queue.ts";

export interface SyslogTcpOptions {
  readonly address: ListenAddress;
  /** Where it is there, senders may begin with TLS, or not. */
  readonly tls: TlsIdentity | undefined;
  /** Who may send. */
  readonly networks: NetworkList;
  readonly door: Pick<SyslogDoor, "take">;
  readonly queue: Pick<SyslogQueue, "isFull">;
  readonly counts: SyslogCounts;
}

/** Each holds at most a chunk and a frame, 64 KiB both. */
const CONNECTIONS_MAX = 512;
/** A peer that is gone without a word is noticed; one that has nothing to say may stay. */
const KEEP_ALIVE_MS = 60_000;
/** When stopping: what a sender had sent before it saw our end arrives within. */
const STOP_QUIET_MS = 200;
const STOP_READ_MS_MAX = 1500;

const HANDSHAKE_MS_MAX = 10_000;
/** The first byte of a TLS record that holds a handshake (RFC 8446 §5.1); no message begins so. */
const HANDSHAKE = 0x16;

/**
 * Syslog over TCP, or over TLS (RFC 5425) for senders that begin with it. A sender is never told
 * that a message was taken, so it is held back instead of being refused: while the queue is full no
 * connection is read. Connections that are silent are not closed, because a sender may write to one
 * before it sees that it ended.
 */
export class SyslogTcp {
  readonly #options: SyslogTcpOptions;
  readonly #secureContext: SecureContext | undefined;
  readonly #server: Server;
  /** What is read of each connection: itself, until it is known that there is TLS within. */
  readonly #streams = new Map<Socket, Socket>();
  /** Each resolves when the last message of a connection was taken, be it a part of one. */
  readonly #reads = new Set<Promise<void>>();

  constructor(options: SyslogTcpOptions) {
    this.#options = options;
    const { tls } = options;
    this.#secureContext = tls === undefined ? undefined : createSecureContext(tls);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @throws ClewError as `listen` does. */
  start(): Promise<{ port: number }> {
    return listen(this.#server, this.#options.address);
  }

  /** The queue has room again. */
  resume(): void {
    for (const stream of this.#streams.values()) stream.resume();
  }

  /** Takes no more connections, reads what was sent on those there are, and closes them. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    for (const stream of this.#streams.values()) {
      stream.setTimeout(STOP_QUIET_MS, () => stream.destroy());
      stream.end();
    }
    const timer = setTimeout(() => {
      for (const socket of this.#streams.keys()) socket.destroy();
    }, STOP_READ_MS_MAX);
    await closed.promise;
    await Promise.all(this.#reads);
    clearTimeout(timer);
  }

  #accept(socket: Socket): void {
    const { counts } = this.#options;
    // A reset ends a connection like anything else: "close" follows.
    socket.on("error", () => socket.destroy());
    const peerAddress = socket.remoteAddress ?? "";
    const refusal = this.#findRefusal(peerAddress);
    if (refusal !== undefined) {
      counts.refusedConnections[refusal]++;
      socket.destroy();
      return;
    }
    this.#streams.set(socket, socket);
    counts.connections++;
    socket.once("close", () => {
      this.#streams.delete(socket);
      counts.connections--;
    });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const sender: SyslogSender = { transport: "tcp", peerAddress, last: undefined };
    if (this.#secureContext === undefined) this.#read(socket, sender);
    else this.#readEither(socket, sender, this.#secureContext);
  }

  #findRefusal(peerAddress: string): "network" | "limit" | undefined {
    if (!this.#options.networks.has(peerAddress)) return "network";
    return this.#streams.size < CONNECTIONS_MAX ? undefined : "limit";
  }

  /** The sender's first byte tells whether it speaks TLS. */
  #readEither(socket: Socket, sender: SyslogSender, secureContext: SecureContext): void {
    socket.once("data", (first) => {
      socket.pause();
      socket.unshift(first);
      if (first[0] !== HANDSHAKE) {
        this.#read(socket, sender);
        socket.resume();
        return;
      }
      const secure = new TLSSocket(socket, { isServer: true, secureContext });
      const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS_MAX);
      secure.once("secure", () => clearTimeout(timer));
      secure.once("close", () => clearTimeout(timer));
      // A handshake that fails concerns its sender alone.
      secure.on("error", () => socket.destroy());
      this.#streams.set(socket, secure);
      this.#read(secure, sender);
    });
  }

  #read(stream: Socket, sender: SyslogSender): void {
    const { door, queue } = this.#options;
    const frames = new SyslogFrames();
    stream.on("data", (chunk) => {
      for (const frame of frames.push(chunk)) door.take(frame, sender);
      if (queue.isFull) stream.pause();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reads.add(promise);
    stream.once("close", () => {
      for (const frame of frames.end()) door.take(frame, sender);
      this.#reads.delete(promise);
      resolve();
    });
    if (queue.isFull) stream.pause();
  }
}
