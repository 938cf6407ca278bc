/** A gRPC receiver on a free port with a bus in memory, and bare clients to try it with. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { Signal } from "../src/otlp/otlp-schema.ts";
import { GrpcReceiver } from "../src/receive/grpc/grpc-receiver.ts";
import {
  type CreatedReceiver,
  createReceiver,
  type ReceiverConfig,
  type Timeouts,
} from "./receiver-harness.ts";

export interface RunningGrpc extends Omit<CreatedReceiver, "receiver"> {
  readonly receiver: GrpcReceiver;
  readonly port: number;
}

export async function startGrpc(
  config: Partial<ReceiverConfig> = {},
  timeouts: Partial<Timeouts> = {},
): Promise<RunningGrpc> {
  const created = createGrpc(config, timeouts);
  const { port } = await created.receiver.start();
  return { ...created, port };
}

export function createGrpc(
  changes: Partial<ReceiverConfig> = {},
  timeouts: Partial<Timeouts> = {},
): Omit<RunningGrpc, "port"> {
  const { config, ...created } = createReceiver(changes, timeouts);
  const { intake } = created;
  return { ...created, config, receiver: new GrpcReceiver({ config, intake, timeouts }) };
}

export const METHOD: Readonly<Record<Signal, string>> = {
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
};

export interface GrpcAnswer {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
  readonly response: Buffer;
}

export interface GrpcSent {
  readonly body: Buffer;
  readonly method?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

/** One connection; messages go as bytes. */
export class GrpcClient {
  private readonly client: Client;

  constructor(
    port: number,
    options: ClientOptions = {},
    channel: ChannelCredentials = credentials.createInsecure(),
  ) {
    const own = { "grpc.use_local_subchannel_pool": 1, "grpc.max_send_message_length": -1 };
    this.client = new Client(`127.0.0.1:${port}`, channel, { ...own, ...options });
  }

  /** Answers also where the status is an error. */
  send({ body, method = METHOD.logs, metadata = {}, deadlineMs }: GrpcSent): Promise<GrpcAnswer> {
    const { promise, resolve } = Promise.withResolvers<GrpcAnswer>();
    const sent = new Metadata();
    for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    const pass = (bytes: Buffer): Buffer => bytes;
    const onEnd = (error: ServiceError | null, response: Buffer = Buffer.alloc(0)): void => {
      const { code, details, metadata: trailers } = error ?? OK;
      resolve({ code, details, metadata: trailers, response });
    };
    this.client.makeUnaryRequest(method, pass, pass, body, sent, options, onEnd);
    return promise;
  }

  close(): void {
    this.client.close();
  }
}

const OK = { code: status.OK, details: "", metadata: new Metadata() };

/** The bytes of a call, for what no gRPC library would send. */
export class RawGrpc {
  readonly session: ClientHttp2Session;

  constructor(port: number) {
    this.session = connect(`http://127.0.0.1:${port}`);
    // A session that the server ends is one of the things under test.
    this.session.on("error", () => this.session.destroy());
  }

  open(headers: Readonly<Record<string, string>> = {}): RawCall {
    const stream = this.session.request({
      ":method": "POST",
      ":path": METHOD.logs,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    return new RawCall(stream);
  }

  async close(): Promise<void> {
    if (this.session.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.session.once("close", resolve);
    this.session.destroy();
    await promise;
  }
}

export class RawCall {
  readonly stream: ClientHttp2Stream;
  /** Headers of the answer and trailers, as one. */
  readonly answered: Promise<Readonly<Record<string, unknown>>>;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
    this.answered = promise;
    let seen: Record<string, unknown> = {};
    const add = (headers: object): void => {
      seen = { ...seen, ...headers };
      if ("grpc-status" in headers || seen[":status"] !== 200) resolve(seen);
    };
    stream.on("response", add).on("trailers", add).resume();
    stream.on("error", () => undefined).once("close", () => resolve(seen));
  }
}

/** A message behind flag and length. */
export function framed(message: Uint8Array, { isCompressed = false, bytes = message.length } = {}) {
  const prefix = Buffer.alloc(5);
  prefix[0] = isCompressed ? 1 : 0;
  prefix.writeUInt32BE(bytes, 1);
  return Buffer.concat([prefix, message]);
}
