/**
 * Answers of Jaeger's remote storage API v2 (`jaeger/storage/v2/trace_storage.proto`).
 *
 *   GetServicesResponse   services = 1, repeated
 *   GetOperationsResponse operations = 1 { name = 1, span_kind = 2 }, repeated
 *   FindTraceIDsResponse  trace_ids = 1 { trace_id = 1, start = 2, end = 3 }, repeated
 *   Timestamp             seconds = 1, nanos = 2
 */
import { ProtobufWriter } from "../../otlp/protobuf-writer.ts";

/** One span of time; its ends are Unix nanoseconds. */
export interface FoundTrace {
  readonly traceId: string;
  readonly startedNs: bigint;
  readonly endedNs: bigint;
}

const NS_PER_SECOND = 1_000_000_000n;
const BYTES = 2;
const VARINT = 0;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

export function encodeServices(names: readonly string[]): Buffer {
  const writer = newWriter();
  for (const name of names) writeText(writer, name);
  return writer.finish();
}

export function encodeOperations(names: readonly string[]): Buffer {
  const writer = newWriter();
  for (const name of names) {
    writer.tag(1, BYTES);
    const opened = writer.open();
    writeText(writer, name);
    writer.close(opened);
  }
  return writer.finish();
}

export function encodeTraceIds(found: readonly FoundTrace[]): Buffer {
  const writer = newWriter();
  for (const { traceId, startedNs, endedNs } of found) {
    writer.tag(1, BYTES);
    const opened = writer.open();
    writer.tag(1, BYTES);
    writer.bytes(Buffer.from(traceId, "hex"));
    writeTime(writer, 2, startedNs);
    writeTime(writer, 3, endedNs);
    writer.close(opened);
  }
  return writer.finish();
}

function writeTime(writer: ProtobufWriter, field: number, ns: bigint): void {
  writer.tag(field, BYTES);
  const opened = writer.open();
  writer.tag(1, VARINT);
  writer.varint64(ns / NS_PER_SECOND);
  writer.tag(2, VARINT);
  writer.varint64(ns % NS_PER_SECOND);
  writer.close(opened);
}

function writeText(writer: ProtobufWriter, text: string): void {
  writer.tag(1, BYTES);
  writer.string(text);
}

function newWriter(): ProtobufWriter {
  return new ProtobufWriter({ expectedBytes: 0, maxBytes: ANSWER_BYTES_MAX });
}
