import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RECORDS } from "../src/otlp/otlp-request.ts";
import type { ProtobufWriter } from "../src/otlp/protobuf-writer.ts";
import { findSegmentHeader, isSegmentName, scanFrames } from "../src/spool/segment-format.ts";
import { ATTRIBUTE } from "../src/wire-names.ts";

const LENGTH_BYTES = 2;

/** Writes a record that consists of its transaction ID and a text, at the place `open` gave. */
export function writeRecord(writer: ProtobufWriter, of: { id: string; text: string }): void {
  const start = writer.open(RECORDS, LENGTH_BYTES);
  writePair(writer, ATTRIBUTE.transactionId, of.id);
  writePair(writer, "text", of.text);
  writer.close(start, LENGTH_BYTES);
}

/** LogRecord.attributes = 6, KeyValue.key = 1, KeyValue.value = 2, AnyValue.string_value = 1. */
function writePair(writer: ProtobufWriter, key: string, value: string): void {
  const pair = writer.open(6, LENGTH_BYTES);
  writer.string(1, key);
  const any = writer.open(2, LENGTH_BYTES);
  writer.string(1, value);
  writer.close(any, LENGTH_BYTES);
  writer.close(pair, LENGTH_BYTES);
}

/** How many records wait in all spools below a folder, as an adopter would find them. */
export function recordsOnDisk(root: string): number {
  return segmentPaths(root).reduce((sum, path) => sum + recordsIn(path), 0);
}

export function segmentPaths(root: string): string[] {
  return namesIn(root).flatMap((name) => {
    const directory = join(root, name);
    return namesIn(directory)
      .filter(isSegmentName)
      .map((segment) => join(directory, segment));
  });
}

/** How often a text stands in what an adopter would find. */
export function textsOnDisk(root: string, text: string): number {
  const all = segmentPaths(root).map((path) => readOr(path).toString("latin1"));
  return all.reduce((sum, content) => sum + content.split(text).length - 1, 0);
}

function recordsIn(path: string): number {
  const bytes = readOr(path);
  const header = findSegmentHeader(bytes);
  if (header === undefined) return 0;
  const { frames } = scanFrames(bytes, { marker: header.marker, start: header.bytes });
  return frames.reduce((sum, frame) => sum + frame.records, 0);
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // It is not there yet, or not any more.
  }
}

function readOr(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0); // Delivered a moment ago.
  }
}
