import type { IncomingMessage, ServerResponse } from "node:http";
import type { ClewError } from "../errors.ts";
import { WIRE } from "../otlp/protobuf-reader.ts";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";

export type ReplyFormat = "protobuf" | "json";

export interface Reply {
  readonly status: number;
  readonly format: ReplyFormat;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** So much of a refused body is read and thrown away, for the sender to get to the answer. */
export const DISCARD_BYTES_MAX = 128 * 1024 * 1024;
const DISCARD_TIMEOUT_MS = 10_000;
const RETRY_AFTER_SECONDS = 1;
const REPLY_BYTES_MAX = 64 * 1024;
const CONTENT_TYPE: Readonly<Record<ReplyFormat, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** `ExportLogsServiceResponse` or `ExportTraceServiceResponse`: without fields, all was taken. */
export function acceptedReply(format: ReplyFormat): Reply {
  const body = format === "json" ? Buffer.from("{}") : Buffer.alloc(0);
  return { status: 200, format, body, headers: {} };
}

/**
 * `ExportMetricsServiceResponse` that takes none of the points:
 * `partial_success` 1 { `rejected_data_points` 1 (int64), `error_message` 2 (string) }.
 */
export function metricsRejectedReply(format: ReplyFormat, dataPoints: number): Reply {
  const errorMessage =
    "this version takes no metrics: let Prometheus scrape them, or send them to it over OTLP";
  if (format === "json") {
    const partialSuccess = { rejectedDataPoints: String(dataPoints), errorMessage };
    const body = Buffer.from(JSON.stringify({ partialSuccess }));
    return { status: 200, format, body, headers: {} };
  }
  const writer = createWriter();
  writer.tag(1, WIRE.bytes);
  const opened = writer.open();
  writer.tag(1, WIRE.varint);
  writer.varint(dataPoints);
  writer.tag(2, WIRE.bytes);
  writer.bytes(Buffer.from(errorMessage));
  writer.close(opened);
  return { status: 200, format, body: writer.finish(), headers: {} };
}

/** `google.rpc.Status`: `code` 1 (int32), `message` 2 (string). */
export function errorReply(format: ReplyFormat, error: ClewError): Reply {
  const { status, rpcCode } = error.kind;
  const headers = errorHeaders(status);
  if (format === "json") {
    const body = Buffer.from(JSON.stringify({ code: rpcCode, message: error.message }));
    return { status, format, body, headers };
  }
  const writer = createWriter();
  writer.tag(1, WIRE.varint);
  writer.varint(rpcCode);
  writer.tag(2, WIRE.bytes);
  writer.bytes(Buffer.from(error.message));
  return { status, format, body: writer.finish(), headers };
}

/** The one way out: every answer to a request leaves here. */
export function send(
  reply: Reply,
  to: { request: IncomingMessage; response: ServerResponse; isLast: boolean },
): void {
  const { request, response } = to;
  if (response.destroyed || response.headersSent) return;
  if (!request.complete) discardRest(request);
  response.writeHead(reply.status, {
    ...reply.headers,
    "Content-Type": CONTENT_TYPE[reply.format],
    "Content-Length": reply.body.length,
    ...(to.isLast ? { Connection: "close" } : {}),
  });
  response.end(reply.body);
}

function errorHeaders(status: number): Record<string, string> {
  if (status === 401) return { "WWW-Authenticate": "Bearer" };
  if (status === 405) return { Allow: "POST" };
  if (status === 408) return { Connection: "close" };
  if (status === 415) return { "Accept-Encoding": "gzip, zstd" };
  if (status === 429 || status === 503) return { "Retry-After": String(RETRY_AFTER_SECONDS) };
  return {};
}

/** Closing while the sender still writes would reset the connection, and the answer be lost. */
function discardRest(request: IncomingMessage): void {
  let bytes = 0;
  const timer = setTimeout(() => request.socket.destroy(), DISCARD_TIMEOUT_MS);
  timer.unref();
  request.once("close", () => clearTimeout(timer));
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARD_BYTES_MAX) request.socket.destroy();
  });
  request.resume();
}

function createWriter(): ProtobufWriter {
  return new ProtobufWriter({ expectedBytes: 0, maxBytes: REPLY_BYTES_MAX });
}
