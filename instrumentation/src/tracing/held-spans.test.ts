import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { attributesOf, fieldsOf } from "../../test/otlp-sink.ts";
import { writeHeldSpan } from "../otlp/held-span.ts";
import { writeSpan } from "../otlp/otlp-span.ts";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { SPAN_HELD_MS_MAX } from "../wire-names.ts";
import {
  HELD_AGE_MAX_MS,
  HELD_BYTES_MAX,
  HELD_SPANS_MAX,
  HeldSpans,
  PROMOTED_MAX,
  RELEASE_EVERY_MS,
} from "./held-spans.ts";
import { type RecordedSpan, STATUS } from "./recorded-span.ts";
import { reduceToSummary } from "./span-summary.ts";
import { createIdSampler } from "./transaction-sampler.ts";
import { TransactionTracer } from "./transaction-tracer.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const LIMITS = {
  ...{ attributes: 128, events: 128, links: 128 },
  ...{ eventAttributes: 128, linkAttributes: 128, valueLength: 65_536 },
};

/** Spans that no sampler keeps, and what was written of them, as `name` or `name (summary)`. */
function subject(isKept: (id: string) => boolean = () => false) {
  const written: string[] = [];
  const messages: Buffer[] = [];
  const held = new HeldSpans({
    isKept,
    nowMs: () => Date.now(),
    writer: {
      span: (span) => {
        const isSummary = span.attributes.includes("clew.span.summary");
        written.push(isSummary ? `${span.name} (summary, at once)` : `${span.name} (whole)`);
      },
      held: ({ bytes }, isSummary) => {
        const writer = new ProtobufWriter(1024);
        writeHeldSpan(writer, { bytes, sequence: written.length + 1, isSummary });
        const message = fieldsOf(writer.buffer.subarray(0, writer.position))[0]?.value as Buffer;
        const name = fieldsOf(message).find(({ number }) => number === 5)?.value;
        messages.push(message);
        written.push(isSummary ? `${name} (summary)` : `${name}`);
      },
    },
  });
  const tracer = new TransactionTracer({
    scope: { name: "test", version: "" },
    sampler: (_traceId, _parent, id) => id !== undefined && isKept(id),
    limits: LIMITS,
    onEnd: (span) => held.end(span),
  });
  const start = (name: string, id?: string, kind = 0): RecordedSpan => {
    const transaction = id === undefined ? undefined : { id, isStart: false, callerId: undefined };
    return tracer.start({ name, kind, parent: undefined, transaction });
  };
  return { held, written, messages, start };
}

test("what is held leaves its summary when it is old enough, the oldest first", () => {
  const { held, written, start } = subject();
  start("a1", "A").end();
  vi.advanceTimersByTime(HELD_AGE_MAX_MS / 2);
  start("b1", "B").end();
  start("a2", "A").end();
  expect(held.size).toBe(3);
  expect(written).toEqual([]);
  vi.advanceTimersByTime(HELD_AGE_MAX_MS / 2);
  expect(written).toEqual(["a1 (summary)"]);
  vi.advanceTimersByTime(HELD_AGE_MAX_MS);
  expect(written).toEqual(["a1 (summary)", "b1 (summary)", "a2 (summary)"]);
  expect(held.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("an error keeps what is held of its transaction, and all that comes after", () => {
  const { held, written, start } = subject();
  start("before", "A").end();
  start("other", "B").end();
  const failing = start("failing", "A");
  failing.setAttribute("own", 1);
  failing.setStatus({ code: STATUS.error, message: "boom" });
  failing.end();
  start("after", "A").end();
  expect(written).toEqual(["before", "failing (whole)", "after (whole)"]);
  held.release();
  expect(written.at(-1)).toBe("other (summary)");
});

test("an error that was expected keeps nothing, one of a log line does", () => {
  const { held, written, start } = subject();
  const declined = start("declined", "A");
  declined.setAttribute("clew.error.expected", true);
  declined.setStatus({ code: STATUS.error });
  declined.end();
  expect(written).toEqual([]);
  held.promote("A");
  held.promote("A");
  expect(written).toEqual(["declined"]);
});

test("what is sampled is never held, and an error in it promotes nothing", () => {
  const { held, written, start } = subject((id) => id === "kept");
  start("one", "kept").end();
  const failing = start("two", "kept");
  failing.setStatus({ code: STATUS.error });
  failing.end();
  expect(written).toEqual(["one (whole)", "two (whole)"]);
  for (let i = 0; i < PROMOTED_MAX; i++) held.promote("kept");
  expect(held.size).toBe(0);
});

test("outside of any transaction the trace is what is held together", () => {
  const { held, written, start } = subject();
  const lone = start("lone");
  lone.end();
  start("another").end();
  held.promote(lone.spanContext().traceId);
  expect(written).toEqual(["lone"]);
});

test("spans are bounded: the longest held leaves first", () => {
  const { held, written, start } = subject();
  start("first", "A").end();
  start("second", "A").end();
  for (let i = 0; i < HELD_SPANS_MAX - 1; i++) start("more", "B").end();
  expect(written).toEqual(["first (summary)"]);
  expect(held.size).toBe(HELD_SPANS_MAX);
  held.promote("A");
  expect(written).toEqual(["first (summary)", "second"]);
});

test("a span that ends while another is being read is held as well", () => {
  const { held, written, start } = subject();
  const outer = start("outer", "A");
  const inner = start("inner", "A");
  const reading = {
    get inner() {
      inner.end();
      return 1;
    },
  };
  outer.attributes.push("reading", reading);
  outer.end();
  held.promote("A");
  expect(written).toEqual(["inner", "outer"]);
});

test.each([
  ["a long text", "x".repeat(65_536)],
  ["a list of texts", Array.from({ length: 64 }, () => "x".repeat(1024))],
])("bytes are bounded: %s", (_name, value) => {
  const { held, written, start } = subject();
  const count = Math.ceil(HELD_BYTES_MAX / 65_536);
  for (let i = 0; i < count; i++) {
    const span = start("big", `T-${i}`);
    span.setAttribute("text", value);
    span.addEvent("said", { text: "short" });
    span.end();
  }
  expect(held.size).toBeLessThan(count);
  expect(held.size).toBeGreaterThan(count * 0.8);
  expect(written.every((name) => name === "big (summary)")).toBe(true);
  expect(written.length + held.size).toBe(count);
});

test("failed transactions are remembered, as many as there is room for", () => {
  const { held, written, start } = subject(createIdSampler(0));
  for (let i = 0; i <= PROMOTED_MAX; i++) held.promote(`T-${i}`);
  start("forgotten", "T-0").end();
  start("known", "T-1").end();
  expect(written).toEqual(["known (whole)"]);
});

test("a summary keeps what a hop is made of, and nothing else", () => {
  const { held, messages, start } = subject();
  const span = start("GET /pay", "A");
  span.setAttributes({
    "http.request.method": "GET",
    "server.address": "bank.example",
    "url.full": "https://bank.example/pay",
    "server.port": 443,
    "user.email": "a@b.c",
    "clew.peer.run.id": "run-2",
    "messaging.destination.name": "jobs",
  });
  span.addEvent("said", { what: "secret" });
  span.addLink({ context: start("other", "B").spanContext() });
  span.setStatus({ code: STATUS.ok });
  span.end();
  const expected = fieldsOf(encoded(span)).filter(({ number }) => ![9, 11, 13].includes(number));
  held.release();
  const [message = Buffer.alloc(0)] = messages;
  expect(attributesOf(message, 9)).toEqual({
    "clew.transaction.id": "A",
    "clew.span.logs": 0,
    "clew.span.sequence": 1,
    "clew.span.summary": true,
    "http.request.method": "GET",
    "server.address": "bank.example",
    "server.port": 443,
    "clew.peer.run.id": "run-2",
    "messaging.destination.name": "jobs",
  });
  expect(fieldsOf(message).filter(({ number }) => number !== 9)).toEqual(expected);

  // The summary of a span that was never held is the same.
  const whole = encoded(span);
  reduceToSummary(span);
  expect(attributesOf(encoded(span), 9)).toEqual(attributesOf(message, 9));
  expect(encoded(span).length).toBeLessThan(whole.length);
});

function encoded(span: RecordedSpan): Buffer {
  const writer = new ProtobufWriter(1024);
  writeSpan(writer, span, 1);
  return fieldsOf(writer.buffer.subarray(0, writer.position))[0]?.value as Buffer;
}

test("a held span leaves within the time that others reckon with", () => {
  expect(HELD_AGE_MAX_MS + 2 * RELEASE_EVERY_MS).toBeLessThan(SPAN_HELD_MS_MAX);
});

test("the summary of work on several messages keeps its links to who sent them", () => {
  const { held, messages, start } = subject();
  const CONSUMER = 4;
  const context = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 };
  const attributes = { "clew.caller.run.id": "r1" };
  const spans = [CONSUMER, 1].map((kind) => start(`kind ${kind}`, "A", kind));
  for (const span of spans) span.addLink({ context, attributes }).addEvent("gone").end();
  held.release();
  const linksOf = (message: Buffer) => fieldsOf(message).filter(({ number }) => number === 13);
  const [batch, single] = messages as [Buffer, Buffer];
  expect(linksOf(batch)).toHaveLength(1);
  expect(attributesOf(linksOf(batch)[0]?.value as Buffer, 4)).toEqual(attributes);
  expect(linksOf(single)).toEqual([]);
  for (const span of spans) reduceToSummary(span);
  expect(spans.map(({ links }) => links?.length)).toEqual([1, undefined]);
});
