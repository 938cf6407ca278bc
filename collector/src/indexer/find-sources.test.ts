import { expect, test } from "vitest";
import { anyValue, type FixtureValue } from "../../test/record-fixtures.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { AttributeScan } from "./attribute-scan.ts";
import { findSources } from "./find-sources.ts";

const CONSUMER = 5;
const PRODUCER = 4;

function check(value: FixtureValue, spanKind: number, want: readonly string[]): void {
  const scan = new AttributeScan(["sources"]);
  const key = Buffer.from("sources");
  const content = anyValue(value);
  const bytes = Buffer.concat([
    Buffer.from([0x0a, key.length]),
    key,
    Buffer.from([0x12, (content.length & 0x7f) | 0x80, content.length >> 7]),
    content,
  ]);
  const message = Buffer.concat([
    Buffer.from([(bytes.length & 0x7f) | 0x80, bytes.length >> 7]),
    bytes,
  ]);
  scan.add(new ProtobufReader(message, 0, message.length));
  expect(findSources(message, scan, { index: 0, spanKind })).toEqual(want);
}

test.each<[string, FixtureValue, number, readonly string[]]>([
  ["the transactions it works for", ["a", "b"], CONSUMER, ["a", "b"]],
  ["each once, and no other text", ["a", "a", "no id!", ""], CONSUMER, ["a"]],
  ["not of what is sent on", ["a", "b"], PRODUCER, []],
  ["nothing but a list", "a", CONSUMER, []],
  ["nothing but texts", [1n, true, null], CONSUMER, []],
  [
    "no more than may be named",
    Array.from({ length: 99 }, (_, i) => `t${i}`),
    CONSUMER,
    Array.from({ length: 64 }, (_, i) => `t${i}`),
  ],
])("%s", (_, value, spanKind, want) => check(value, spanKind, want));

test("none where it names none", () => {
  const found = findSources(Buffer.alloc(0), new AttributeScan(["s"]), {
    index: 0,
    spanKind: CONSUMER,
  });
  expect(found).toEqual([]);
});
