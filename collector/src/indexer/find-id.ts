import type { ProtobufReader } from "../otlp/protobuf-reader.ts";

export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

const ZEROS = "0".repeat(2 * TRACE_ID_BYTES);

/** Hex digits of the id at `start`; empty where there is none, or it is all zeros. */
export function findId(buffer: Buffer, { start, bytes }: { start: number; bytes: number }): string {
  if (start < 0) return "";
  const id = buffer.toString("hex", start, start + bytes);
  return ZEROS.startsWith(id) ? "" : id;
}

/** Passes over a `bytes` field; where it begins if it has the right length, else -1. */
export function skipId(reader: ProtobufReader, bytes: number): number {
  const end = reader.enter();
  const start = reader.position;
  reader.position = end;
  return end - start === bytes ? start : -1;
}
