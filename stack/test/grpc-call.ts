import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from "node:http2";

export interface GrpcRequest {
  readonly url: string;
  /** `/package.Service/Method` */
  readonly path: string;
  /** The message, already compressed where `encoding` says so. */
  readonly message: Uint8Array;
  readonly encoding?: "identity" | "gzip";
  readonly headers?: Readonly<Record<string, string>>;
  /** The bytes of the stream in place of the frame that `message` would be. */
  readonly frame?: Uint8Array;
}

export interface GrpcAnswer {
  /** google.rpc.Code; -1 where the stream ended without one. */
  readonly code: number;
  readonly message: string;
  /** `grpc-status-details-bin`: a `google.rpc.Status`. */
  readonly details: Buffer | undefined;
  /** The response's message; undefined where there is none. */
  readonly body: Buffer | undefined;
}

const CALL_TIMEOUT_MS = 30_000;
const FRAME_HEAD_BYTES = 5;
/** Node's client resets a stream whose answer comes while more than 10 MB wait to be sent. */
const SESSION_MEGABYTES_MAX = 256;

/** gRPC's services of OTLP, by what they carry. */
export const GRPC_PATH = {
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
} as const;

/**
 * One unary call over bare HTTP/2 ("gRPC over HTTP2"), so that it can send what a gRPC library
 * would not. A frame is: 1 byte compressed or not, 4 bytes length (big-endian), the message.
 */
export async function callGrpc(request: GrpcRequest): Promise<GrpcAnswer> {
  const session = connect(request.url, { maxSessionMemory: SESSION_MEGABYTES_MAX });
  try {
    return await callOn(session, request);
  } finally {
    session.destroy();
  }
}

/** The same on a connection that other calls use too. */
export async function callOn(
  session: ClientHttp2Session,
  request: GrpcRequest,
): Promise<GrpcAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<GrpcAnswer>();
  const { encoding = "identity" } = request;
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: request.path,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-encoding": encoding,
    ...request.headers,
  });
  const chunks: Buffer[] = [];
  let told: IncomingHttpHeaders = {};
  const hear = (headers: IncomingHttpHeaders) => {
    told = { ...told, ...headers };
  };
  stream.setTimeout(CALL_TIMEOUT_MS, () => reject(new Error(`no answer to ${request.path}`)));
  session.once("error", reject);
  stream.on("response", hear).on("trailers", hear);
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  // A reset ends a call as an answer does; the code tells which of them it was.
  stream.on("error", () => undefined);
  stream.on("close", () => resolve(toAnswer(told, Buffer.concat(chunks))));
  stream.end(request.frame ?? grpcFrame(request.message, encoding !== "identity"));
  return promise;
}

export function grpcFrame(message: Uint8Array, isCompressed: boolean): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt8(isCompressed ? 1 : 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function toAnswer(told: IncomingHttpHeaders, received: Buffer): GrpcAnswer {
  const details = told["grpc-status-details-bin"];
  const hasBody = received.length >= FRAME_HEAD_BYTES;
  return {
    code: Number(told["grpc-status"] ?? -1),
    message: decodeURIComponent(String(told["grpc-message"] ?? "")),
    details: details === undefined ? undefined : Buffer.from(String(details), "base64"),
    body: hasBody ? received.subarray(FRAME_HEAD_BYTES) : undefined,
  };
}
