import { expect, test } from "vitest";
import { attributesOf } from "../../test/otlp-sink.ts";
import { newAllowance } from "./allowance.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { writeAttribute } from "./write-attribute.ts";

function roundTrip(value: unknown, characters = 1000): unknown {
  const writer = new ProtobufWriter(16);
  writeAttribute(writer, { field: 6, key: "k", value }, newAllowance(characters));
  return attributesOf(writer.buffer.subarray(0, writer.position), 6).k;
}

const cyclic: Record<string, unknown> = { a: 1 };
cyclic.self = cyclic;
cyclic.list = [cyclic];
const shared = { x: 1 };
const throwing = new Proxy(
  {},
  {
    ownKeys() {
      throw new Error("trap");
    },
  },
);
const revoked = Proxy.revocable({}, {});
revoked.revoke();

function missing(): never {
  throw new Error("toJSON");
}

test.each<[string, unknown, unknown]>([
  ["a short text", "abc", "abc"],
  ["an empty text", "", ""],
  ["a text at the edge of one length byte", "x".repeat(121), "x".repeat(121)],
  ["a text over it", "x".repeat(122), "x".repeat(122)],
  ["not ASCII", "ä€😀", "ä€😀"],
  ["a long text that is not ASCII", "ä".repeat(200), "ä".repeat(200)],
  ["a lone surrogate", "\ud800", "\ufffd"],
  ["true", true, true],
  ["false", false, false],
  ["zero", 0, 0],
  ["minus zero", -0, -0],
  ["minus one", -1, -1],
  ["2^53-1", Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ["2^53", 2 ** 53, 2 ** 53],
  ["a fraction", 1.5, 1.5],
  ["NaN", Number.NaN, Number.NaN],
  ["infinity", Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ["a small BigInt", -5n, -5],
  ["the largest int64", 2n ** 63n - 1n, 2n ** 63n - 1n],
  ["a BigInt beyond it", 2n ** 63n, "9223372036854775808"],
  ["null", null, null],
  ["undefined", undefined, null],
  ["a symbol", Symbol("s"), "Symbol(s)"],
  ["a function", () => 1, "[function]"],
  ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
  ["a date that is none", new Date(Number.NaN), "[invalid date]"],
  ["a list", [1, "a", [null]], [1, "a", [null]]],
  ["a list with holes", Array(2), [null, null]],
  ["an object", { a: 1, b: { c: [] } }, { a: 1, b: { c: [] } }],
  ["a map", new Map<unknown, unknown>([["a", 1]]), { a: 1 }],
  ["a set", new Set([1]), [1]],
  ["bytes", new Uint8Array([1, 2]), Buffer.from([1, 2])],
  [
    "numbers by the length of their varint",
    [127, 128, 16_383, 2 ** 28 - 1, 2 ** 28, 2 ** 32],
    [127, 128, 16_383, 2 ** 28 - 1, 2 ** 28, 2 ** 32],
  ],
  ["127", 127, 127],
  ["128", 128, 128],
  ["2^28-1", 2 ** 28 - 1, 2 ** 28 - 1],
  ["2^28", 2 ** 28, 2 ** 28],
  ["doubles", new Float64Array([1.5, -2]), [1.5, -2]],
  ["what has a toJSON", new URL("http://x/y"), "http://x/y"],
  ["a toJSON that throws", { toJSON: () => missing() }, "[unreadable]"],
  [
    "a toJSON that gives another",
    { toJSON: () => ({ a: new Date(0) }) },
    {
      a: "1970-01-01T00:00:00.000Z",
    },
  ],
  ["a pattern", /x/g, "/x/g"],
  ["an endless BigInt", 2n ** 100_000n, "[bigint, too long]"],
  ["a map with a key that is no text", new Map([[1, "a"]]), { 1: "a" }],
  [
    "a secret's name, deep inside",
    { a: [{ apiKey: "x", b: 1 }] },
    {
      a: [{ apiKey: "[redacted]", b: 1 }],
    },
  ],
  ["secrets in a text", "password=x", "password=[redacted]"],
  ["secrets in bytes", Buffer.from("password=x"), "password=[redacted]"],
  ["a card's number", 4_111_111_111_111_111, "[redacted]"],
  ["a cycle", cyclic, { a: 1, self: "[circular]", list: ["[circular]"] }],
  ["the same object twice", [shared, shared], [{ x: 1 }, { x: 1 }]],
  ["a proxy that throws", throwing, "[unreadable]"],
  ["a revoked proxy", revoked.proxy, "[unreadable]"],
])("%s", (_, value, want) => {
  expect(roundTrip(value)).toEqual(want);
});

test("a getter that throws spoils only itself", () => {
  const value = {
    before: 1,
    get bad() {
      throw new Error("getter");
    },
    after: 2,
  };
  expect(roundTrip(value)).toEqual({ before: 1, bad: "[unreadable]", after: 2 });
});

test("an error keeps type, message and stack", () => {
  expect(roundTrip(new TypeError("bad"), 10_000)).toMatchObject({
    type: "TypeError",
    message: "bad",
    stack: expect.stringContaining("TypeError: bad"),
  });
});

test("too long, too deep, too many: cut with a mark, and always a whole message", () => {
  expect(roundTrip("x".repeat(1500))).toBe(`${"x".repeat(1000)}…[cut 500 characters]`);
  let deep: unknown = "end";
  for (let i = 0; i < 100; i++) deep = { deep };
  expect(JSON.stringify(roundTrip(deep))).toContain("[too deep]");
  const many = roundTrip(Array.from({ length: 100_000 }, (_, index) => index));
  expect((many as unknown[]).length).toBeLessThan(2002);
  expect((many as unknown[]).at(-1)).toBe("…[cut 98001 values]");
  const wide = Array.from({ length: 1000 }, () => "x".repeat(1000));
  const kept = (roundTrip(wide) as string[]).join("");
  expect(kept.length).toBeLessThan(600_000);
  expect(kept).toContain("…[cut ");
  const key = "k".repeat(5000);
  expect(Object.keys(roundTrip({ [key]: 1 }) as object)[0]?.length).toBeLessThan(300);
});
