import { expect, test } from "vitest";
import { attributesOf, fieldsOf } from "../../test/otlp-sink.ts";
import { type LogRecord, SEVERITY } from "../logging/log-record.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { writeLog } from "./otlp-log.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const TIME_MICROS = 1_795_266_000_000_001;
const RUN = `${"0123456789abcdef".repeat(2)}-`;

/** Trace id, span id and flags of the record that is written. */
function spanOf(log: Partial<LogRecord>) {
  const fields = fieldsOf(written(log, 1, RUN));
  const find = (number: number) => fields.find((field) => field.number === number)?.value;
  return [hexOf(find(9)), hexOf(find(10)), (find(8) as Buffer).readUInt32LE()];
}

function hexOf(value: unknown): string {
  return (value as Buffer).toString("hex");
}

function attributesAfter(log: Partial<LogRecord>, sequence = 1, prefix = RUN) {
  return attributesOf(written(log, sequence, prefix), 6);
}

function written(log: Partial<LogRecord>, sequence: number, prefix: string): Buffer {
  const writer = new ProtobufWriter(16);
  const whole: LogRecord = {
    ...{ timeMicros: TIME_MICROS, observedMicros: TIME_MICROS, severity: SEVERITY.info, body: "x" },
    ...{ attributes: [], transactionId: undefined, span: undefined, isAfterSpan: false, ...log },
  };
  writeLog(writer, whole, { prefix, sequence });
  const [field] = fieldsOf(writer.buffer.subarray(0, writer.position));
  return field?.value as Buffer;
}

test.each([1, 9, 10, 99, 100, 12_345, 999_999_999, 4_294_967_296, 2 ** 53 - 1])(
  "record %d of a run has its number in its uid",
  (sequence) => {
    expect(attributesAfter({}, sequence)).toEqual({ [ATTRIBUTE.recordUid]: `${RUN}${sequence}` });
  },
);

test("uid and transaction change from record to record, also between two runs", () => {
  for (let i = 0; i < 50; i++) {
    const transactionId = i % 3 === 0 ? undefined : `T-${i % 5}`;
    const prefix = i % 2 === 0 ? RUN : "other-";
    const found = attributesAfter({ transactionId }, i + 1, prefix);
    expect(found[ATTRIBUTE.recordUid]).toBe(`${prefix}${i + 1}`);
    expect(found[ATTRIBUTE.transactionId]).toBe(transactionId);
  }
});

test("each record names its own span, also where a span comes again or is sampled later", () => {
  const spans = [1, 2].map((digit) => ({
    ...{ traceId: `${digit}`.repeat(32), spanId: `${digit}f`.repeat(8), traceFlags: 0 },
  }));
  for (const [index, flags] of [
    [0, 0],
    [0, 0],
    [1, 0],
    [0, 1],
    [0, 1],
    [1, 1],
  ] as const) {
    const span = spans[index];
    if (span !== undefined) span.traceFlags = flags;
    expect(spanOf({ span })).toEqual([span?.traceId, span?.spanId, flags]);
  }
});

test("a key stands once: the last source's value; our own attributes cannot be replaced", () => {
  const attributes = [
    { a: 1, b: 1 },
    { a: 2, [ATTRIBUTE.recordUid]: "theirs" },
  ];
  expect(attributesAfter({ attributes })).toEqual({ [ATTRIBUTE.recordUid]: `${RUN}1`, a: 2, b: 1 });
  const named = [{ [ATTRIBUTE.transactionId]: "theirs" }];
  expect(attributesAfter({ attributes: named })[ATTRIBUTE.transactionId]).toBe("theirs");
  const inside = attributesAfter({ attributes: named, transactionId: "T-1" });
  expect(inside[ATTRIBUTE.transactionId]).toBe("T-1");
});

test("a record that its span does not count says so, and no line can say it for itself", () => {
  expect(attributesAfter({ isAfterSpan: true })).toMatchObject({ [ATTRIBUTE.afterSpan]: true });
  const named = [{ [ATTRIBUTE.afterSpan]: true }];
  expect(attributesAfter({ attributes: named })).not.toHaveProperty([ATTRIBUTE.afterSpan]);
  expect(
    attributesAfter({ attributes: [{ [ATTRIBUTE.afterSpan]: 1 }], isAfterSpan: true }),
  ).toEqual({ [ATTRIBUTE.recordUid]: `${RUN}1`, [ATTRIBUTE.afterSpan]: true });
});

test("a record tells when it was made beside the time that the service gave it", () => {
  const fields = fieldsOf(written({ timeMicros: 7, observedMicros: 9 }, 1, RUN));
  const times = fields.filter(({ number }) => number === 1 || number === 11);
  expect(times.map(({ value }) => (value as Buffer).readBigUInt64LE())).toEqual([7000n, 9000n]);
});
