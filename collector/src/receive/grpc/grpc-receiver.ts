import { createServer, type Server, type Socket } from "node:net";
import { type Config, VARIABLE } from "../../config.ts";
import { toClewError } from "../../errors.ts";
import { RECEIVE_TIMEOUTS, type ReceiveTimeouts } from "../http-receiver.ts";
import type { Intake } from "../intake.ts";
import { listen } from "../listen.ts";
import type { GrpcServices } from "./grpc-services.ts";

export interface GrpcReceiverOptions {
  readonly config: Pick<
    Config,
    "host" | "otlpGrpcPort" | "ingestTokens" | "maxRequestBytes" | "tls"
  >;
  readonly intake: Intake;
  readonly timeouts?: Partial<ReceiveTimeouts>;
}

/** For the last bytes of a connection that has no calls any more. */
const CLOSE_MS_MAX = 1000;

/**
 * The port of OTLP/gRPC. What speaks the protocol is loaded with the first connection, because it
 * takes 18 MB and many never see one.
 */
export class GrpcReceiver {
  private readonly options: GrpcReceiverOptions;
  private readonly timeouts: ReceiveTimeouts;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private services: Promise<GrpcServices> | undefined;
  private stopped: Promise<void> | undefined;

  constructor(options: GrpcReceiverOptions) {
    this.options = options;
    this.timeouts = { ...RECEIVE_TIMEOUTS, ...options.timeouts };
    this.server = createServer({ noDelay: true }, (socket) => void this.take(socket));
  }

  /** @throws ClewError PORT_IN_USE, or CONFIG_INVALID where the address cannot be listened on. */
  async start(): Promise<{ port: number }> {
    const { host, otlpGrpcPort: port } = this.options.config;
    return listen(this.server, { host, port, portVariable: VARIABLE.otlpGrpcPort });
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
    const timer = setTimeout(() => this.cutOff(), this.timeouts.stopMs);
    await Promise.race([this.services?.then((services) => services.stop()), closed]);
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
    this.services ??= this.load();
    try {
      const services = await this.services;
      if (!socket.destroyed) services.take(socket);
    } catch (cause) {
      // Its installation is broken: the other doors are not.
      this.options.intake.refuse(toClewError(cause));
      socket.destroy();
    }
  }

  private async load(): Promise<GrpcServices> {
    const { GrpcServices } = await import("./grpc-services.ts");
    const { config, intake } = this.options;
    return new GrpcServices({ config, intake, messageTimeoutMs: this.timeouts.bodyMs });
  }
}
