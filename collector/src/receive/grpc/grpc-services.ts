import type { Duplex } from "node:stream";
import { HEADER } from "@clew/instrumentation/names";
import type { ConnectionInjector, handleUnaryCall, Server, ServiceDefinition } from "@grpc/grpc-js";
import type { Config } from "../../config.ts";
import { discard } from "../../discard.ts";
import { toClewError } from "../../errors.ts";
import { createGrpcServer, grpcCredentials } from "../../grpc/grpc-server.ts";
import type { Signal } from "../../otlp/otlp-schema.ts";
import { decompress } from "../decompress.ts";
import type { Intake } from "../intake.ts";
import { encodePartial } from "../otlp-reply.ts";
import { isRepeat } from "../request-head.ts";
import { GrpcExports } from "./grpc-export.ts";
import { toStatus } from "./grpc-status.ts";

export interface GrpcServicesOptions {
  readonly config: Pick<Config, "ingestTokens" | "maxRequestBytes" | "tls">;
  readonly intake: Intake;
  /** From a call's headers to the last byte of its message. */
  readonly messageTimeoutMs: number;
}

/** OTLP 1.11: one service per signal, each with the one method `Export`. */
const SERVICES: Readonly<Record<Signal, string>> = {
  logs: "opentelemetry.proto.collector.logs.v1.LogsService",
  traces: "opentelemetry.proto.collector.trace.v1.TraceService",
  metrics: "opentelemetry.proto.collector.metrics.v1.MetricsService",
};
/**
 * The three services of OTLP/gRPC, on connections that are handed to them. grpc-js does the
 * protocol and hands on the bytes of each message undecoded; who may send, and how much at a time,
 * is decided before it reads them (grpc-export.ts).
 */
export class GrpcServices {
  private readonly options: GrpcServicesOptions;
  private readonly exports: GrpcExports;
  private readonly grpc: Server;
  private readonly connections: ConnectionInjector;

  constructor(options: GrpcServicesOptions) {
    this.options = options;
    this.exports = new GrpcExports(options);
    this.grpc = createGrpcServer({
      interceptors: [this.exports.interceptor],
      "grpc.max_receive_message_length": options.config.maxRequestBytes,
    });
    for (const signal of ["logs", "traces", "metrics"] as const) {
      this.grpc.addService(defineService(signal), { Export: this.handlerOf(signal) });
    }
    this.connections = this.grpc.createConnectionInjector(grpcCredentials(options.config.tls));
  }

  take(connection: Duplex): void {
    this.connections.injectConnection(connection);
  }

  /**
   * Tells each connection to open no more calls, so that it ends itself with its last one; resolves
   * when all calls are answered. That grpc-js does not say: where it owns no listening server it
   * calls back at once.
   */
  async stop(): Promise<void> {
    this.grpc.tryShutdown(() => undefined);
    await this.exports.settled();
  }

  private handlerOf(signal: Signal): handleUnaryCall<Buffer, Buffer> {
    return ({ request, metadata }, answer) => {
      const { intake, config } = this.options;
      const { maxRequestBytes: maxBytes } = config;
      const take = async (): Promise<Buffer> => {
        const { reservation, encoding } = this.exports.find(metadata);
        const value = await decompress({ body: request, encoding, maxBytes, reservation });
        const [attempt] = metadata.get(HEADER.attempt);
        const taken = { signal, value, isRepeat: isRepeat(attempt), reservation };
        const outcome = await intake.take(taken);
        discard(value);
        return outcome.reason === "" ? Buffer.alloc(0) : encodePartial(outcome);
      };
      take().then(
        (response) => answer(null, response),
        (thrown) => {
          const error = toClewError(thrown);
          intake.refuse(error);
          answer(toStatus(error));
        },
      );
    };
  }
}

/** Messages are bytes, both ways. */
function defineService(signal: Signal): ServiceDefinition {
  const pass = (bytes: Buffer): Buffer => bytes;
  return {
    Export: {
      path: `/${SERVICES[signal]}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: pass,
      requestDeserialize: pass,
      responseSerialize: pass,
      responseDeserialize: pass,
    },
  };
}
