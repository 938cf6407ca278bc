import { expect, test } from "vitest";
import { findSpanContext, formatTraceparent } from "./trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const GOOD = `00-${TRACE}-${SPAN}-01`;

test.each<[unknown, number | undefined]>([
  [GOOD, 1],
  [` ${GOOD} `, 1],
  [`00-${TRACE}-${SPAN}-00`, 0],
  [`00-${TRACE}-${SPAN}-ff`, 1],
  [`01-${TRACE}-${SPAN}-01-later`, 1],
  [`01-${TRACE}-${SPAN}-01`, 1],
  [`00-${TRACE}-${SPAN}-01-later`, undefined],
  [`01-${TRACE}-${SPAN}-01later`, undefined],
  [`ff-${TRACE}-${SPAN}-01`, undefined],
  [`00-${"0".repeat(32)}-${SPAN}-01`, undefined],
  [`00-${TRACE}-${"0".repeat(16)}-01`, undefined],
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`, undefined],
  [`00-${TRACE.slice(1)}-${SPAN}-01`, undefined],
  [`00-${TRACE}-${SPAN}-1`, undefined],
  [`${GOOD}, ${GOOD}`, undefined],
  [`01-${TRACE}-${SPAN}-01-${"x".repeat(1000)}`, undefined],
  ["", undefined],
  [undefined, undefined],
  [[GOOD], undefined],
])("traceparent %j", (header, flags) => {
  expect(findSpanContext(header, undefined)?.traceFlags).toBe(flags);
});

test.each<[unknown, string | undefined]>([
  ["a=1,b=2", "a=1,b=2"],
  ["a=1 , b=2,,", "a=1,b=2"],
  [["a=1", "b=2"], "a=1,b=2"],
  ["tenant@vendor=1", "tenant@vendor=1"],
  ["a=1,a=2", undefined],
  ["A=1", undefined],
  ["a", undefined],
  ["a=b=c", undefined],
  ["a=", undefined],
  [`a=${"x".repeat(257)}`, undefined],
  [Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(), undefined],
  ["x".repeat(600), undefined],
  ["", undefined],
])("tracestate %j", (header, want) => {
  const context = findSpanContext(GOOD, header);
  expect(context).toBeDefined();
  expect(context?.traceState?.serialize()).toBe(want);
});

test("a change of the state goes to its front, as the specification says", () => {
  const state = findSpanContext(GOOD, "a=1,b=2")?.traceState;
  expect(state?.set("b", "3").serialize()).toBe("b=3,a=1");
  expect(state?.unset("a").serialize()).toBe("b=2");
  expect(state?.get("a")).toBe("1");
});

test("what is written is read back", () => {
  const context = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };
  expect(findSpanContext(formatTraceparent(context), undefined)).toMatchObject(context);
});
