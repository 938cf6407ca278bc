import type { ClewError } from "../errors.ts";
import type { Signal } from "../otlp/otlp-schema.ts";
import { WIRE } from "../otlp/protobuf-reader.ts";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { errorHeaders, type Reply } from "./http-reply.ts";

export type ReplyFormat = "protobuf" | "json";

const REPLY_BYTES_MAX = 64 * 1024;
const CONTENT_TYPE: Readonly<Record<ReplyFormat, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** `ExportLogsServiceResponse` or `ExportTraceServiceResponse`: without fields, all was taken. */
export function acceptedReply(format: ReplyFormat): Reply {
  const body = format === "json" ? Buffer.from("{}") : Buffer.alloc(0);
  return reply(200, format, body);
}

/** By signal: what `partial_success` calls the number of records it did not take. */
const REJECTED_FIELD: Readonly<Record<Signal, string>> = {
  logs: "rejectedLogRecords",
  traces: "rejectedSpans",
  metrics: "rejectedDataPoints",
};

/**
 * A response whose `partial_success` 1 says what was not taken: its first field (int64) the number,
 * `error_message` 2 why (OTLP 1.11, "Partial Success").
 */
export function rejectedReply(
  format: ReplyFormat,
  signal: Signal,
  { rejected, reason }: { rejected: number; reason: string },
): Reply {
  if (format === "json") {
    const partialSuccess = { [REJECTED_FIELD[signal]]: String(rejected), errorMessage: reason };
    const body = Buffer.from(JSON.stringify({ partialSuccess }));
    return reply(200, format, body);
  }
  const writer = createWriter();
  writer.tag(1, WIRE.bytes);
  const opened = writer.open();
  writer.tag(1, WIRE.varint);
  writer.varint(rejected);
  writer.tag(2, WIRE.bytes);
  writer.bytes(Buffer.from(reason));
  writer.close(opened);
  return reply(200, format, writer.finish());
}

/** `google.rpc.Status`: `code` 1 (int32), `message` 2 (string). */
export function errorReply(format: ReplyFormat, error: ClewError): Reply {
  const { status, rpcCode } = error.kind;
  if (format === "json") {
    const body = Buffer.from(JSON.stringify({ code: rpcCode, message: error.message }));
    return reply(status, format, body);
  }
  const writer = createWriter();
  writer.tag(1, WIRE.varint);
  writer.varint(rpcCode);
  writer.tag(2, WIRE.bytes);
  writer.bytes(Buffer.from(error.message));
  return reply(status, format, writer.finish());
}

function reply(status: number, format: ReplyFormat, body: Buffer): Reply {
  return {
    status,
    headers: { ...errorHeaders(status), "Content-Type": CONTENT_TYPE[format] },
    body,
  };
}

function createWriter(): ProtobufWriter {
  return new ProtobufWriter({ expectedBytes: 0, maxBytes: REPLY_BYTES_MAX });
}
