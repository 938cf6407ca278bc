import type { ClewError } from "../errors.ts";
import type { Signal } from "../otlp/otlp-schema.ts";
import { WIRE } from "../otlp/protobuf-reader.ts";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { errorHeaders, type Reply } from "./http-reply.ts";
import { encodeRpcStatus, rpcStatusJson } from "./rpc-status.ts";

export type ReplyFormat = "protobuf" | "json";

const REPLY_BYTES_MAX = 64 * 1024;
const LATE_STATUS = 503;
const CONTENT_TYPE: Readonly<Record<ReplyFormat, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** The response of any of the three services: without fields, all was taken. */
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
 * A response with a `partial_success`, which says what was not taken, or with none rejected what
 * the sender should know all the same (OTLP 1.11, "Partial Success").
 */
export function partialReply(format: ReplyFormat, signal: Signal, partial: Partial): Reply {
  const { rejected, reason } = partial;
  if (format === "protobuf") return reply(200, format, encodePartial(partial));
  const partialSuccess = { [REJECTED_FIELD[signal]]: String(rejected), errorMessage: reason };
  return reply(200, format, Buffer.from(JSON.stringify({ partialSuccess })));
}

interface Partial {
  readonly rejected: number;
  readonly reason: string;
}

/**
 * A response in protobuf: `partial_success` 1, whose first field (int64) is the number of rejected
 * records, and `error_message` 2 what the sender should know.
 */
export function encodePartial({ rejected, reason }: Partial): Buffer {
  const writer = createWriter();
  writer.tag(1, WIRE.bytes);
  const opened = writer.open();
  if (rejected > 0) {
    writer.tag(1, WIRE.varint);
    writer.varint(rejected);
  }
  writer.tag(2, WIRE.bytes);
  writer.bytes(Buffer.from(reason));
  writer.close(opened);
  return writer.finish();
}

/**
 * What went wrong, as a `google.rpc.Status`. A body that came too slowly is answered 503: of what
 * may be tried again OTLP's clients know 429, 502, 503 and 504 only ("Retryable Response Codes").
 */
export function errorReply(format: ReplyFormat, error: ClewError): Reply {
  const isLate = error.code === "REQUEST_TIMEOUT";
  const body =
    format === "json" ? Buffer.from(JSON.stringify(rpcStatusJson(error))) : encodeRpcStatus(error);
  const told = reply(isLate ? LATE_STATUS : error.kind.status, format, body);
  return isLate ? { ...told, headers: { ...told.headers, Connection: "close" } } : told;
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
