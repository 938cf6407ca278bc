import { expect, test } from "vitest";
import { spanOf } from "../../../test/verdict-fixture.ts";
import { findRfc3339 } from "../rfc3339.ts";
import { describeSpan } from "./span-fact.ts";

test.each([
  "2026-03-01T12:00:00.123456789Z",
  "2026-03-01T12:00:00.000000000Z",
  "1970-01-01T00:00:00.000000001Z",
  "2262-04-11T23:47:16.854775807Z",
  "2026-03-01T12:00:00Z",
  "2026-03-01T12:00:00.123456+01:00",
  "2026-03-01 12:00:00.123456789z",
])("reads %s as any RFC 3339 time", (time) => {
  const fact = describeSpan({ ...spanOf({ id: "s" }), time, receivedAt: time });
  expect([fact.startNs, fact.receivedNs]).toEqual([findRfc3339(time), findRfc3339(time)]);
});

test.each(["", "yesterday", "2026-03-01T12:00:00.12345678xZ"])("a time of %j is none", (time) => {
  expect(describeSpan({ ...spanOf({ id: "s" }), time }).startNs).toBe(0n);
});

test("an end is after the start by its duration, to the nanosecond", () => {
  const span = spanOf({ id: "s" });
  if (span.span === null) throw new Error("cannot happen: it is a span");
  const fact = describeSpan({ ...span, span: { ...span.span, durationMs: 1234.567891 } });
  expect(fact.endNs - fact.startNs).toBe(1_234_567_891n);
});
