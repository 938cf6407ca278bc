import type { ClewError } from "../errors.ts";
import { WIRE } from "../otlp/protobuf-reader.ts";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { RETRY_AFTER_SECONDS } from "./http-reply.ts";

/** Messages quote a hundred characters of a request at most, so this is never reached. */
const STATUS_BYTES_MAX = 64 * 1024;
const BAD_REQUEST_TYPE = "type.googleapis.com/google.rpc.BadRequest";
const RETRY_INFO_TYPE = "type.googleapis.com/google.rpc.RetryInfo";
const UNAVAILABLE = 14;
/** What a `BadRequest` names as the field that is wrong; the description says more. */
const FIELD = "body";

/**
 * How OTLP tells of an error: `google.rpc.Status` in protobuf, `code` 1 (int32), `message` 2
 * (string), `details` 3 (`Any`: `type_url` 1, `value` 2). Bad data has a `BadRequest` as its detail
 * (OTLP 1.11, "Bad Data"), what may succeed later a `RetryInfo` ("OTLP/gRPC Throttling").
 */
export function encodeRpcStatus(error: ClewError): Buffer {
  const { rpcCode } = error.kind;
  const writer = new ProtobufWriter({ expectedBytes: 0, maxBytes: STATUS_BYTES_MAX });
  writer.tag(1, WIRE.varint);
  writer.varint(rpcCode);
  writeText(writer, { field: 2, text: error.message });
  if (error.code === "REQUEST_MALFORMED") writeBadRequest(writer, error.message);
  else if (rpcCode === UNAVAILABLE) writeRetryInfo(writer);
  return writer.finish();
}

/** The same by proto3's JSON mapping. */
export function rpcStatusJson({ code, kind, message }: ClewError): object {
  const status = { code: kind.rpcCode, message };
  if (code === "REQUEST_MALFORMED") {
    const fieldViolations = [{ field: FIELD, description: message }];
    return { ...status, details: [{ "@type": BAD_REQUEST_TYPE, fieldViolations }] };
  }
  if (kind.rpcCode !== UNAVAILABLE) return status;
  const retryDelay = `${RETRY_AFTER_SECONDS}s`;
  return { ...status, details: [{ "@type": RETRY_INFO_TYPE, retryDelay }] };
}

/** `field_violations` 1 (`field` 1, `description` 2). */
function writeBadRequest(writer: ProtobufWriter, description: string): void {
  writeDetail(writer, BAD_REQUEST_TYPE, () => {
    writer.tag(1, WIRE.bytes);
    const violation = writer.open();
    writeText(writer, { field: 1, text: FIELD });
    writeText(writer, { field: 2, text: description });
    writer.close(violation);
  });
}

/** `retry_delay` 1 (`Duration`: `seconds` 1). */
function writeRetryInfo(writer: ProtobufWriter): void {
  writeDetail(writer, RETRY_INFO_TYPE, () => {
    writer.tag(1, WIRE.bytes);
    const delay = writer.open();
    writer.tag(1, WIRE.varint);
    writer.varint(RETRY_AFTER_SECONDS);
    writer.close(delay);
  });
}

function writeDetail(writer: ProtobufWriter, type: string, writeValue: () => void): void {
  writer.tag(3, WIRE.bytes);
  const detail = writer.open();
  writeText(writer, { field: 1, text: type });
  writer.tag(2, WIRE.bytes);
  const value = writer.open();
  writeValue();
  writer.close(value);
  writer.close(detail);
}

function writeText(writer: ProtobufWriter, { field, text }: { field: number; text: string }): void {
  writer.tag(field, WIRE.bytes);
  writer.bytes(Buffer.from(text));
}
