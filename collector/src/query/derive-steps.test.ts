import { ATTRIBUTE, EVENT, SEMANTIC } from "@clew/instrumentation/names";
import { expect, test } from "vitest";
import type { StoredRecord } from "../record.ts";
import { deriveSteps, STEPS_MAX } from "./derive-steps.ts";

const { transactionStep: STEP, transactionCompensation: UNDO } = EVENT;
const NOON = "2026-01-31T12:00:00";

interface Told {
  readonly at: number;
  readonly name: string;
  readonly progress?: string;
  readonly event?: string;
  readonly service?: string;
  /** Under which span; 0: none. */
  readonly span?: number;
  readonly error?: string;
}

/** `at` is in seconds after noon. */
function record({ at, name, progress, event = STEP, service = "orders", span = 0, error }: Told) {
  const time = `${NOON.slice(0, -2)}${String(at).padStart(2, "0")}.000000000Z`;
  const spanId = span === 0 ? null : String(span).padStart(16, "0");
  return {
    ...{ id: `${at}-${name}`, kind: "log", time, receivedAt: time, transactionId: "t" },
    ...{ traceId: spanId && "a".repeat(32), spanId, parentSpanId: null, service },
    ...{ severityText: "", severityNumber: 9, message: "", body: null, isError: false },
    ...{ resource: {}, scope: "", span: null },
    attributes: {
      [ATTRIBUTE.eventName]: event,
      [ATTRIBUTE.transactionStep]: name,
      ...(progress === undefined ? {} : { [ATTRIBUTE.transactionStepStatus]: progress }),
      ...(error === undefined ? {} : { [SEMANTIC.exceptionMessage]: error }),
    },
  } satisfies StoredRecord;
}

/** Name, service, status, seconds after noon of start and end, error; then of its compensation. */
function shown(told: readonly Told[]): unknown[] {
  const seconds = (time: string | null) => (time === null ? null : Number(time.slice(17, 19)));
  return deriveSteps(told.map(record)).steps.map(({ name, compensation, ...work }) => {
    const row = ({ service, status, startedAt, endedAt, durationMs, error }: typeof work) => {
      const took = seconds(endedAt) === null ? null : (durationMs ?? Number.NaN) / 1000;
      return [service, status, seconds(startedAt), took, error];
    };
    const undone = compensation === null ? [] : row(compensation);
    return [name, ...row(work), ...undone];
  });
}

test("a beginning and its end are one step, a mark alone took no time", () => {
  expect(
    shown([
      { at: 1, name: "reserve", progress: "running", span: 1 },
      { at: 2, name: "mail" },
      { at: 3, name: "charge", progress: "running", span: 2 },
      { at: 5, name: "reserve", progress: "done", span: 1 },
      { at: 7, name: "charge", progress: "failed", span: 2, error: "declined" },
      { at: 8, name: "ship", progress: "running", span: 3 },
    ]),
  ).toEqual([
    ["reserve", "orders", "done", 1, 4, null],
    ["mail", "orders", "done", 2, 0, null],
    ["charge", "orders", "failed", 3, 4, "declined"],
    ["ship", "orders", "running", 8, null, null],
  ]);
});

test("attempts of one name, also side by side, are told apart by their spans", () => {
  expect(
    shown([
      { at: 1, name: "pack", progress: "running", span: 1 },
      { at: 2, name: "pack", progress: "running", span: 2 },
      { at: 3, name: "pack", progress: "failed", span: 1 },
      { at: 4, name: "pack", progress: "done", span: 2 },
      { at: 5, name: "pack", progress: "running", span: 0 },
      { at: 6, name: "pack", progress: "done", span: 0 },
      { at: 7, name: "pack", progress: "running", span: 3, service: "shipping" },
      { at: 9, name: "pack", progress: "done", span: 3, service: "shipping" },
    ]),
  ).toEqual([
    ["pack", "orders", "failed", 1, 2, "it did not say why"],
    ["pack", "orders", "done", 2, 2, null],
    ["pack", "orders", "done", 5, 1, null],
    ["pack", "shipping", "done", 7, 2, null],
  ]);
});

test("at the very same time a beginning comes before its end", () => {
  const same = { at: 1, name: "pack", span: 1 };
  const told = [
    { ...same, progress: "done" },
    { ...same, progress: "running" },
  ];
  expect(shown(told)).toEqual([["pack", "orders", "done", 1, 0, null]]);
});

test("a step that was undone is compensated, whichever service undid it", () => {
  const undo = { event: UNDO, name: "charge" };
  expect(
    shown([
      { at: 1, name: "charge", service: "payments" },
      { at: 2, ...undo, progress: "running", span: 9 },
      { at: 5, ...undo, progress: "done", span: 9 },
    ]),
  ).toEqual([["charge", "payments", "compensated", 1, 0, null, "orders", "done", 2, 3, null]]);
});

test("a compensation that fails leaves the step as it was; the next attempt counts", () => {
  const undo = { event: UNDO, name: "charge" };
  const failed: Told[] = [
    { at: 1, name: "charge" },
    { at: 2, ...undo, progress: "running", span: 1 },
    { at: 3, ...undo, progress: "failed", span: 1, error: "bank is out" },
  ];
  expect(shown(failed)).toEqual([
    ["charge", "orders", "done", 1, 0, null, "orders", "failed", 2, 1, "bank is out"],
  ]);
  expect(shown([...failed, { at: 6, ...undo }])).toEqual([
    ["charge", "orders", "compensated", 1, 0, null, "orders", "done", 6, 0, null],
  ]);
});

test("each compensation is of the latest step before it, of the same service first", () => {
  const undo = { event: UNDO, name: "pack" };
  expect(
    shown([
      { at: 1, name: "pack" },
      { at: 2, name: "pack", service: "shipping" },
      { at: 3, ...undo },
      { at: 4, ...undo },
      { at: 5, name: "pack" },
    ]),
  ).toEqual([
    ["pack", "orders", "compensated", 1, 0, null, "orders", "done", 3, 0, null],
    ["pack", "shipping", "compensated", 2, 0, null, "orders", "done", 4, 0, null],
    ["pack", "orders", "done", 5, 0, null],
  ]);
});

test("two clocks may differ: the only step of the name is meant all the same", () => {
  const told: Told[] = [
    { at: 1, name: "charge", event: UNDO },
    { at: 2, name: "charge", service: "payments" },
  ];
  expect(shown(told)).toEqual([
    ["charge", "payments", "compensated", 2, 0, null, "orders", "done", 1, 0, null],
  ]);
});

test("the compensation of a step that nobody told of stands for it", () => {
  expect(shown([{ at: 4, name: "charge", event: UNDO }])).toEqual([
    ["charge", "orders", "compensated", 4, 0, null, "orders", "done", 4, 0, null],
  ]);
});

test("what is no step is passed over, and what is too much is cut and said", () => {
  const nothing = { ...record({ at: 1, name: "x" }), attributes: {} };
  const odd = {
    ...nothing,
    attributes: { [ATTRIBUTE.eventName]: STEP, [ATTRIBUTE.transactionStep]: 7 },
  };
  expect(deriveSteps([nothing, odd, record({ at: 1, name: "" })])).toEqual({
    steps: [],
    isCut: false,
  });
  const many = Array.from({ length: STEPS_MAX + 1 }, (_, i) =>
    record({ at: 1, name: `step-${i}` }),
  );
  const { steps, isCut } = deriveSteps(many);
  expect([steps.length, isCut]).toEqual([STEPS_MAX, true]);
  const long = deriveSteps([
    record({ at: 1, name: "x".repeat(999), progress: "failed", error: "y".repeat(999) }),
  ]);
  expect(long.steps[0]?.name).toHaveLength(256);
  expect(long.steps[0]?.error).toHaveLength(256);
});
