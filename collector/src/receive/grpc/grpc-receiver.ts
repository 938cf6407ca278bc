import { type Config, VARIABLE } from "../../config.ts";
import { toClewError } from "../../errors.ts";
import { GrpcPort } from "../../grpc/grpc-port.ts";
import { RECEIVE_TIMEOUTS, type ReceiveTimeouts } from "../http-receiver.ts";
import type { Intake } from "../intake.ts";

export interface GrpcReceiverOptions {
  readonly config: Pick<
    Config,
    "host" | "otlpGrpcPort" | "ingestTokens" | "maxRequestBytes" | "tls"
  >;
  readonly intake: Intake;
  readonly timeouts?: Partial<ReceiveTimeouts>;
}

/** The port of OTLP/gRPC. */
export class GrpcReceiver {
  private readonly port: GrpcPort;

  constructor({ config, intake, timeouts: given }: GrpcReceiverOptions) {
    const timeouts = { ...RECEIVE_TIMEOUTS, ...given };
    this.port = new GrpcPort({
      host: config.host,
      port: config.otlpGrpcPort,
      portVariable: VARIABLE.otlpGrpcPort,
      stopMs: timeouts.stopMs,
      load: async () => {
        const { GrpcServices } = await import("./grpc-services.ts");
        return new GrpcServices({ config, intake, messageTimeoutMs: timeouts.bodyMs });
      },
      // Its installation is broken: the other doors are not.
      onFault: (cause) => intake.refuse(toClewError(cause)),
    });
  }

  /** @throws ClewError PORT_IN_USE, or CONFIG_INVALID where the address cannot be listened on. */
  start(): Promise<{ port: number }> {
    return this.port.start();
  }

  /** Takes no more calls, and resolves when every one taken so far is answered. */
  stop(): Promise<void> {
    return this.port.stop();
  }
}
