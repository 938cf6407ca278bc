import { expect, test } from "vitest";
import { patternOf } from "./letter-pattern.ts";

test.each([
  ["", ""],
  ["cannot be mapped", "cannot be mapped"],
  [
    'failed to parse field [attributes.price] of type [long]: For input string: "12,50 €"',
    "failed to parse field [attributes.price] of type [long]: For input string: *",
  ],
  [
    "a record, 2097152 bytes: the bus takes 1048576 in one message",
    "a record, * bytes: the bus takes * in one message",
  ],
  [
    "received at 9223372036854775808 ns: no time from 1970 to 2261",
    "received at * ns: no time from * to *",
  ],
  ["document 019a9f3e-5b7c-7d3e-9a51-0c2f6f1d2b3a is refused", "document * is refused"],
  ["trace 4bf92f3577b34da6a3ce929d0e0e4736-s2 at 12:30:01.5", "trace *-s2 at *"],
  ["a\n  b\tc", "a b c"],
  ["an unclosed 'quote", "an unclosed 'quote"],
  ["decade and facade are words", "decade and facade are words"],
])("%j is %j", (detail, pattern) => {
  expect(patternOf(detail)).toBe(pattern);
});

test("is bounded, whatever is thrown at it", () => {
  for (const hostile of [
    "'".repeat(1e6),
    "0x".repeat(5e5),
    "a".repeat(1e6),
    "1.".repeat(5e5),
    "\ud83d".repeat(500),
  ]) {
    const pattern = patternOf(hostile);
    expect(pattern.length).toBeLessThanOrEqual(200);
    expect(pattern.isWellFormed()).toBe(true);
  }
});
