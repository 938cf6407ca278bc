import { expect, test } from "vitest";
import { markExpected } from "../expected-error.ts";
import { TransactionTracer } from "../tracing/transaction-tracer.ts";
import { settle } from "./settle.ts";

const LIMITS = {
  ...{ attributes: 9, events: 9, links: 9, eventAttributes: 9, linkAttributes: 9 },
  valueLength: 1000,
};

function newSpan() {
  let ends = 0;
  const tracer = new TransactionTracer({
    scope: { name: "test", version: "" },
    sampler: () => true,
    limits: LIMITS,
    onEnd: () => ends++,
  });
  const span = tracer.start({ name: "s", kind: 4, parent: undefined, transaction: undefined });
  return { span, ends: () => ends };
}

test.each<[string, unknown, number, unknown[]]>([
  ["an error", new TypeError("boom"), 2, ["error.type", "TypeError"]],
  [
    "an expected error",
    markExpected(new RangeError("declined")),
    0,
    ["error.type", "RangeError", "clew.error.expected", true],
  ],
  ["what is no error", "text", 2, ["error.type", "_OTHER"]],
  ["undefined", undefined, 2, ["error.type", "_OTHER"]],
])("%s passes unchanged, thrown or rejected, and is told", async (_name, error, status, told) => {
  const fail = () => {
    throw error;
  };
  for (const body of [fail, async () => fail()]) {
    const { span, ends } = newSpan();
    const caught: unknown[] = [];
    try {
      await settle({ span, body });
    } catch (thrown) {
      caught.push(thrown);
    }
    expect(caught).toEqual([error]);
    expect(caught[0]).toBe(error);
    expect([span.statusCode, span.attributes, ends()]).toEqual([status, told, 1]);
    expect(span.events?.length ?? 0).toBe(error instanceof Error ? 1 : 0);
  }
});

test("a promise ends the span when it is done; anything else at once, untouched", async () => {
  const { span, ends } = newSpan();
  const { promise, resolve } = Promise.withResolvers<string>();
  const result = settle({ span, body: () => promise });
  expect(ends()).toBe(0);
  resolve("done");
  expect(await result).toBe("done");
  expect(ends()).toBe(1);

  const other = newSpan();
  let asked = 0;
  // A query builder: it runs when it is asked for its result, and must run once.
  // biome-ignore lint/suspicious/noThenProperty: that is what such a builder has.
  const query = { then: () => asked++ };
  expect(settle({ span: other.span, body: () => query })).toBe(query);
  expect([asked, other.ends()]).toEqual([0, 1]);
  expect(settle({ span: undefined, body: () => 7 })).toBe(7);
});
