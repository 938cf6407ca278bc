import { expect, test } from "vitest";
import { findValue, JSON_DEPTH_MAX, jsonText, type ParsedJson, parseJson } from "./json-value.ts";

const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;

test.each<[string, Partial<ParsedJson>]>([
  [`{"a":1}`, { kind: "object", json: { a: 1 } }],
  [`{"a":1,"a":2}`, { kind: "object", json: { a: 2 } }],
  [`{"a":9007199254740993}`, { kind: "object", json: { a: 9_007_199_254_740_993n } }],
  [`{"a":[-9007199254740993]}`, { kind: "object", json: { a: [-9_007_199_254_740_993n] } }],
  [`{"a":18446744073709551615}`, { kind: "object", json: { a: "18446744073709551615" } }],
  [`{"a":1e300,"b":1.5}`, { kind: "object", json: { a: 1e300, b: 1.5 } }],
  [`{"a":1e999}`, { kind: "object", json: { a: Number.POSITIVE_INFINITY } }],
  ["[1]", { kind: "other" }],
  ["null", { kind: "other" }],
  ["", { kind: "invalid" }],
  [`{"a":`, { kind: "invalid" }],
  [nested(JSON_DEPTH_MAX), { kind: "object" }],
  [nested(JSON_DEPTH_MAX + 1), { kind: "deep" }],
  [nested(1_000_000), { kind: "deep" }],
])("parses %.40s", (text, want) => {
  expect(parseJson(text)).toMatchObject(want);
});

test("a key that names the prototype is a key as any", () => {
  const parsed = parseJson(`{"__proto__":{"a":9007199254740993}}`);
  const json = parsed.kind === "object" ? parsed.json : {};
  expect(Object.keys(json)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(json)).toBe(Object.prototype);
});

test.each<[string, unknown]>([
  ["a.b", 1],
  ["c.d.e", 2],
  ["f.g.h", 3],
  ["a", undefined],
  ["f.g", undefined],
  ["constructor", undefined],
  ["list.length", undefined],
])("finds %s", (key, want) => {
  const json = { "a.b": 1, c: { d: { e: 2 } }, f: { "g.h": 3 }, list: [1] };
  expect(findValue(json, key)).toBe(want);
});

test("as text again, integers keep their digits", () => {
  expect(jsonText({ a: [2n ** 62n, 1] })).toBe(`{"a":["4611686018427387904",1]}`);
});
