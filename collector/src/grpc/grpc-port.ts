import { createServer, type Server, type Socket } from "node:net";
import { listen } from "../receive/listen.ts";

/** What speaks gRPC on the connections that it is given. */
export interface GrpcConnections {
  take(connection: Socket): void;
  /** Resolves when every call taken so far is answered. */
  stop(): Promise<void>;
}

export interface GrpcPortOptions {
  readonly host: string;
  readonly port: number;
  /** The variable that the port comes from. */
  readonly portVariable: string;
  /** Calls under way when the port is stopped get so long. */
  readonly stopMs: number;
  readonly load: () => Promise<GrpcConnections>;
  /** Hears why what speaks gRPC cannot be loaded; the connection is closed. */
  readonly onFault: (cause: unknown) => void;
}

/** For the last bytes of a connection that has no calls any more. */
const CLOSE_MS_MAX = 1000;

/**
 * A port for gRPC. What speaks the protocol is loaded with the first connection, because it takes
 * 18 MB and many never see one.
 */
export class GrpcPort {
  private readonly options: GrpcPortOptions;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private loaded: Promise<GrpcConnections> | undefined;
  private stopped: Promise<void> | undefined;

  constructor(options: GrpcPortOptions) {
    this.options = options;
    this.server = createServer({ noDelay: true }, (socket) => void this.take(socket));
  }

  /** @throws ClewError PORT_IN_USE, or CONFIG_INVALID where the address cannot be listened on. */
  async start(): Promise<{ port: number }> {
    const { host, port, portVariable } = this.options;
    return listen(this.server, { host, port, portVariable });
  }

  /** Takes no more calls, and resolves when every one taken so far is answered. */
  stop(): Promise<void> {
    this.stopped ??= this.drain();
    return this.stopped;
  }

  private async drain(): Promise<void> {
    if (!this.server.listening) return;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    this.server.close(() => resolve());
    const timer = setTimeout(() => this.cutOff(), this.options.stopMs);
    await Promise.race([this.loaded?.then((connections) => connections.stop()), closed]);
    // What is left then is a handshake that has not ended.
    const graceTimer = setTimeout(() => this.cutOff(), CLOSE_MS_MAX);
    await closed;
    clearTimeout(graceTimer);
    clearTimeout(timer);
  }

  private cutOff(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private async take(socket: Socket): Promise<void> {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
    // A reset is one of the ways in which a client may leave.
    socket.on("error", () => socket.destroy());
    this.loaded ??= this.options.load();
    try {
      const connections = await this.loaded;
      if (!socket.destroyed) connections.take(socket);
    } catch (cause) {
      this.options.onFault(cause);
      socket.destroy();
    }
  }
}
