import { expect, test } from "vitest";
import { EMPTY_CONTEXT, runIn, TransactionContext } from "../transaction/transaction-context.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import type { RecordedSpan } from "./recorded-span.ts";
import { TransactionTracer } from "./transaction-tracer.ts";

const LIMITS = {
  ...{ attributes: 9, events: 9, links: 9, eventAttributes: 9, linkAttributes: 9 },
  valueLength: 1000,
};
const tracer = new TransactionTracer({
  ...{ scope: { name: "test", version: "" }, sampler: () => true, limits: LIMITS },
  onEnd: () => undefined,
});
const ONE = { id: "one", isStart: false, callerId: undefined };
const TWO = { id: "two", isStart: false, callerId: undefined };

function startIn(parent: RecordedSpan | undefined, transaction: typeof ONE | undefined) {
  const span = { name: "s", kind: 0, parent: parent?.spanContext(), transaction };
  const context =
    parent === undefined ? EMPTY_CONTEXT : new TransactionContext({ transaction, span: parent });
  return runIn(context, () => tracer.start(span));
}

test.each([
  ["in its parent's transaction", ONE, ONE, false],
  ["in one that was opened inside of its parent", ONE, TWO, true],
  ["in one, under a parent that is in none", undefined, TWO, true],
  ["in none", ONE, undefined, false],
])("a span %s says whether its parent is outside", (_, outer, inner, isOutside) => {
  const span = startIn(startIn(undefined, outer), inner);
  expect(span.attributes).toEqual(isOutside ? [ATTRIBUTE.parentOutside, true] : []);
});

test("of a caller's span nobody knows the transaction here", () => {
  const local = startIn(undefined, ONE);
  const remote = { ...local.spanContext(), isRemote: true };
  const span = { name: "s", kind: 1, parent: remote, transaction: TWO };
  const context = new TransactionContext({ transaction: ONE, span: local });
  expect(runIn(context, () => tracer.start(span)).attributes).toEqual([]);
});
