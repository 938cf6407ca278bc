import { expect, test } from "vitest";
import { ProtobufWriter } from "../../otlp/protobuf-writer.ts";
import { encodeOperations, encodeServices, encodeTraceIds } from "./found-trace.ts";
import { decodeFindTraces, decodeGetOperations, decodeGetTraces } from "./trace-query.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

/** A message of fields: a text, bytes, a number, or a message of its own. */
function message(...fields: readonly [number, string | Buffer | number | bigint][]): Buffer {
  const writer = new ProtobufWriter({ expectedBytes: 0, maxBytes: 65_536 });
  for (const [number, value] of fields) {
    const isNumber = typeof value === "number" || typeof value === "bigint";
    writer.tag(number, isNumber ? 0 : 2);
    if (isNumber) writer.varint64(BigInt(value));
    else if (typeof value === "string") writer.string(value);
    else writer.bytes(value);
  }
  return Buffer.from(writer.finish());
}

const NOTHING = {
  ...{ service: "", operation: "", attributes: [], fromNs: undefined, toNs: undefined },
  ...{ durationMinNs: undefined, durationMaxNs: undefined, depth: 0 },
};
const ID = Buffer.from(TRACE, "hex");
const YEAR_1 = -62_135_596_800n;

test.each<[string, Buffer, object]>([
  ["nothing", Buffer.alloc(0), NOTHING],
  ["an empty query", message([1, Buffer.alloc(0)]), NOTHING],
  [
    "everything",
    message([
      1,
      message(
        [1, "orders"],
        [2, "POST"],
        [3, message([1, "a"], [2, message([1, "b"])])],
        [3, message([2, message([3, 7])], [1, "n"])],
        [4, message([1, 1000], [2, 5])],
        [5, message([1, 2000])],
        [6, message([2, 1_000_000])],
        [7, message([1, 3])],
        [8, 42],
      ),
    ]),
    {
      ...{ service: "orders", operation: "POST", depth: 42 },
      attributes: [
        ["a", "b"],
        ["n", 7],
      ],
      ...{ fromNs: 1_000_000_000_005n, toNs: 2_000_000_000_000n },
      ...{ durationMinNs: 1_000_000n, durationMaxNs: 3_000_000_000n },
    },
  ],
  ["Go's zero time as none", message([1, message([4, message([1, YEAR_1])])]), NOTHING],
  [
    "a tag without a key as none",
    message([1, message([3, message([2, message([1, "x"])])])]),
    NOTHING,
  ],
  ["unknown fields", message([9, "x"], [1, message([99, "y"], [8, 1])]), { ...NOTHING, depth: 1 }],
])("reads a query: %s", (_, bytes, want) => {
  expect(decodeFindTraces(bytes)).toEqual(want);
});

test("reads which traces are asked for, whatever stands around them", () => {
  const one = message([2, message([1, 5])], [1, ID], [3, message([1, 9])]);
  expect(decodeGetTraces(message([1, one], [7, "x"], [1, one]))).toEqual([TRACE, TRACE]);
  expect(decodeGetTraces(Buffer.alloc(0))).toEqual([]);
});

test("reads whose operations are asked for", () => {
  const asked = message([2, "server"], [1, "orders"], [3, 1]);
  expect(decodeGetOperations(asked)).toEqual({ service: "orders", spanKind: "server" });
});

test.each([
  ["cut off", message([1, message([1, "orders"])]).subarray(0, 5)],
  ["a length beyond the end", Buffer.from([0x0a, 0x7f, 0x0a])],
  ["a varint without end", Buffer.alloc(20, 0xff)],
])("refuses what is malformed: %s", (_, bytes) => {
  for (const decode of [decodeFindTraces, decodeGetTraces, decodeGetOperations]) {
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: "REQUEST_MALFORMED" }));
  }
});

test("writes names and ids as Jaeger reads them", () => {
  expect(encodeServices(["a", "é"])).toEqual(message([1, "a"], [1, "é"]));
  expect(encodeServices([])).toEqual(Buffer.alloc(0));
  expect(encodeOperations(["GET"])).toEqual(message([1, message([1, "GET"])]));
  const found = { traceId: TRACE, startedNs: 1_000_000_007n, endedNs: 2_000_000_000n };
  const times = [message([1, 1], [2, 7]), message([1, 2], [2, 0])] as const;
  expect(encodeTraceIds([found])).toEqual(
    message([1, message([1, ID], [2, times[0]], [3, times[1]])]),
  );
});
