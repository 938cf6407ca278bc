import type { Duplex } from "node:stream";
import {
  type ConnectionInjector,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type MethodDefinition,
  type Server,
  type ServerWritableStream,
  status,
} from "@grpc/grpc-js";
import { checkToken } from "../../check-token.ts";
import type { Config } from "../../config.ts";
import { toClewError } from "../../errors.ts";
import { createGrpcServer, grpcCredentials } from "../../grpc/grpc-server.ts";
import { JaegerReader } from "./jaeger-reader.ts";
import type { TraceStore } from "./trace-search.ts";

export interface JaegerServicesOptions {
  readonly config: Pick<Config, "queryTokens" | "tls">;
  readonly store: TraceStore;
  /** One question may take so long. */
  readonly callMs: number;
}

const SERVICE = "jaeger.storage.v2.TraceReader";
const REQUEST_BYTES_MAX = 1024 * 1024;

/**
 * The reading side of Jaeger's remote storage API v2, on connections that are handed to it: a
 * Jaeger that is told `storage.grpc` shows the traces that Clew keeps. A query token comes as
 * metadata `authorization`, which Jaeger's `headers` or `auth` setting sends.
 */
export class JaegerServices {
  private readonly options: JaegerServicesOptions;
  private readonly reader: JaegerReader;
  private readonly grpc: Server;
  private readonly connections: ConnectionInjector;
  private readonly calls = new Set<Promise<void>>();

  constructor(options: JaegerServicesOptions) {
    this.options = options;
    this.reader = new JaegerReader(options.store);
    this.grpc = createGrpcServer({ "grpc.max_receive_message_length": REQUEST_BYTES_MAX });
    const { reader } = this;
    this.grpc.addService(
      {
        GetTraces: method("GetTraces", true),
        FindTraces: method("FindTraces", true),
        FindTraceIDs: method("FindTraceIDs", false),
        GetServices: method("GetServices", false),
        GetOperations: method("GetOperations", false),
      },
      {
        GetTraces: this.streaming((message, signal) => reader.getTraces(message, signal)),
        FindTraces: this.streaming((message, signal) => reader.findTraces(message, signal)),
        FindTraceIDs: this.unary((message, signal) => reader.findTraceIds(message, signal)),
        GetServices: this.unary(() => reader.getServices()),
        GetOperations: this.unary((message) => reader.getOperations(message)),
      },
    );
    this.connections = this.grpc.createConnectionInjector(grpcCredentials(options.config.tls));
  }

  take(connection: Duplex): void {
    this.connections.injectConnection(connection);
  }

  async stop(): Promise<void> {
    this.grpc.tryShutdown(() => undefined);
    await Promise.all(this.calls);
  }

  private unary(
    answer: (message: Buffer, signal: AbortSignal) => Promise<Buffer>,
  ): handleUnaryCall<Buffer, Buffer> {
    return (call, respond) => {
      this.run(async () => {
        try {
          this.check(call.metadata);
          respond(null, await answer(call.request, AbortSignal.timeout(this.options.callMs)));
        } catch (thrown) {
          respond(toFault(thrown));
        }
      });
    };
  }

  private streaming(
    answer: (message: Buffer, signal: AbortSignal) => AsyncIterable<Buffer>,
  ): handleServerStreamingCall<Buffer, Buffer> {
    return (call) => {
      const cancelled = new AbortController();
      call.once("cancelled", () => cancelled.abort());
      const signal = AbortSignal.any([cancelled.signal, AbortSignal.timeout(this.options.callMs)]);
      this.run(async () => {
        try {
          this.check(call.metadata);
          for await (const data of answer(call.request, signal)) await write(call, data, signal);
          call.end();
        } catch (thrown) {
          call.emit("error", toFault(thrown));
        }
      });
    };
  }

  private run(act: () => Promise<void>): void {
    const call = act().finally(() => this.calls.delete(call));
    this.calls.add(call);
  }

  private check(metadata: Metadata): void {
    const [authorization] = metadata.get("authorization");
    checkToken(authorization?.toString(), this.options.config.queryTokens);
  }
}

/** Waits where the client reads slower than the store, and no longer than the call may take. */
async function write(
  call: ServerWritableStream<Buffer, Buffer>,
  data: Buffer,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (call.write(data)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  call.once("drain", resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  signal.throwIfAborted();
}

/** A question that took too long was aborted by the clock. */
function toFault(thrown: unknown): { code: status; details: string } {
  if (thrown instanceof DOMException && thrown.name === "TimeoutError") {
    return { code: status.DEADLINE_EXCEEDED, details: "cannot answer: the store took too long" };
  }
  const error = toClewError(thrown);
  return { code: error.kind.rpcCode, details: error.message.toWellFormed() };
}

/** Messages are bytes, both ways. */
function method(name: string, responseStream: boolean): MethodDefinition<Buffer, Buffer> {
  const pass = (bytes: Buffer): Buffer => bytes;
  return {
    path: `/${SERVICE}/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
}
