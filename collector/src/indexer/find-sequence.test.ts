import { expect, test } from "vitest";
import { type AnyTestValue, anyValue, field } from "../../test/otlp-fixtures.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { SEQUENCE_MAX } from "../store/ledger.ts";
import { AttributeScan } from "./attribute-scan.ts";
import { findSpanSequence, findUidSequence } from "./find-sequence.ts";

const RUN = "6f1c2d3e4a5b6c7d8e9f0a1b2c3d4e5f";

test.each<[string, string, number]>([
  [`${RUN}-1`, RUN, 1],
  [`${RUN}-4711`, RUN, 4711],
  [`${RUN}-${SEQUENCE_MAX}`, RUN, SEQUENCE_MAX],
  [`${RUN}-${SEQUENCE_MAX + 1}`, RUN, 0],
  [`${RUN}-99999999999999999999999`, RUN, 0],
  [`${RUN}-0`, RUN, 0],
  [`${RUN}-`, RUN, 0],
  [RUN, RUN, 0],
  [`${RUN}_7`, RUN, 0],
  [`${RUN}-7a`, RUN, 0],
  [`${RUN}--7`, RUN, 0],
  [`${RUN}-1.5`, RUN, 0],
  [`${RUN}-+7`, RUN, 0],
  [`${RUN}-٣`, RUN, 0],
  [`x${RUN}-7`, RUN, 0],
  ["other-run-7", "other", 0],
  ["other-run-7", "other-run", 7],
  ["-7", "", 0],
  ["", RUN, 0],
  ["", "", 0],
])("the uid %j of run %j has number %d", (uid, runId, want) => {
  expect(findUidSequence(uid, runId)).toBe(want);
});

const KEY = "clew.span.sequence";

function sequenceOf(value: Buffer): number {
  const pair = Buffer.concat([field.text(1, KEY), field.bytes(2, value)]);
  const buffer = Buffer.concat([Buffer.from([pair.length]), pair]);
  const scan = new AttributeScan([KEY]);
  scan.add(new ProtobufReader(buffer, 0, buffer.length));
  return findSpanSequence(buffer, scan, 0);
}

test.each<[AnyTestValue, number]>([
  [1n, 1],
  [0n, 0],
  [127n, 127],
  [128n, 128],
  [2n ** 32n + 5n, 2 ** 32 + 5],
  // Seven bytes hold less than 2^49; nobody gives out more.
  [2n ** 49n - 1n, 2 ** 49 - 1],
  [BigInt(SEQUENCE_MAX) + 1n, 0],
  [2n ** 62n, 0],
  [-1n, 0],
  ["42", 42],
  ["4 2", 0],
  ["", 0],
  [1.5, 0],
  [true, 0],
  [null, 0],
  [[1n], 0],
])("a span that says %s has number %d", (value, want) => {
  expect(sequenceOf(anyValue(value))).toBe(want);
});

test("a span whose number is cut off, or is followed by something, has none", () => {
  expect(sequenceOf(Buffer.from([0x18]))).toBe(0);
  expect(sequenceOf(Buffer.from([0x18, 0x80]))).toBe(0);
  expect(sequenceOf(Buffer.from([0x18, 0x05, 0x18, 0x06]))).toBe(0);
});

test("a span that says nothing has no number", () => {
  expect(findSpanSequence(Buffer.alloc(0), new AttributeScan([KEY]), 0)).toBe(0);
});
