import { expect, test } from "vitest";
import {
  type AnyTestValue,
  anyValue,
  field,
  logsRequest,
  type TestLogRecord,
  type TestSpan,
  tracesRequest,
} from "../../test/otlp-fixtures.ts";
import type { DeliveredMessage, Topic } from "../bus/bus.ts";
import type { IncomingRecord } from "../record.ts";
import { TEXT_BYTES_MAX } from "./any-value.ts";
import { MessageDecoder } from "./message-decoder.ts";
import { TransactionKeys } from "./transaction-keys.ts";

const KEYS = ["clew.transaction.id", "transaction_id", "correlationId", "labels.transaction_id"];
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";
const RECEIVED_NS = 1_700_000_000_000_000_000n;

test("a log record is read in full", () => {
  const record: TestLogRecord = {
    timeNs: 5n,
    observedNs: 6n,
    severityNumber: 17,
    severityText: "ERROR",
    body: "payment refused: Zoë",
    attributes: {
      other: 1,
      "log.record.uid": "run-7",
      "clew.transaction.id": "tx-1",
      "clew.transaction.status": "failed",
    },
    traceId: TRACE_ID,
    spanId: SPAN_ID,
  };
  const resource = { "service.name": "payments", "host.name": "h" };
  const [decoded] = decode(logsRequest([{ resource, scope: "app", records: [record] }]));
  expect(decoded).toMatchObject({
    kind: "log",
    id: "run-7",
    mayRepeat: false,
    receivedNs: RECEIVED_NS,
    timeNs: 5n,
    durationNs: 0n,
    transactionId: "tx-1",
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    parentSpanId: "",
    service: "payments",
    severityNumber: 17,
    isError: true,
    spanKind: 0,
    isEntry: false,
    transactionStatus: "failed",
    text: "payment refused: Zoë",
  });
  const { resource: resourceBytes, scope, payload } = decoded as IncomingRecord;
  // The views, put together again, are the request.
  const scoped = Buffer.concat([field.bytes(1, scope), field.bytes(2, payload)]);
  const group = Buffer.concat([field.bytes(1, resourceBytes), field.bytes(2, scoped)]);
  expect(field.bytes(1, group)).toEqual(
    logsRequest([{ resource, scope: "app", records: [record] }]),
  );
});

test("a log record that says nothing has defaults, and its name from the request", () => {
  const message = deliver(logsRequest([{ resource: {}, records: [{}, {}] }]), { part: 3 });
  const records = decodeAll(message);
  expect(records.map(({ id }) => id)).toEqual(["request-3-0", "request-3-1"]);
  expect(records[0]).toMatchObject({
    timeNs: RECEIVED_NS,
    transactionId: "",
    traceId: "",
    spanId: "",
    service: "unknown_service",
    severityNumber: 0,
    isError: false,
    transactionStatus: "",
    text: "",
  });
  expect(decodeAll(message)).toEqual(records);
  expect(decodeAll({ ...message, headers: { ...message.headers, repeat: true } })[0]).toEqual({
    ...records[0],
    mayRepeat: true,
  });
});

test.each<[string, Partial<TestLogRecord>, Partial<IncomingRecord>]>([
  ["the observed time without its own", { observedNs: 6n }, { timeNs: 6n }],
  ["no time beyond 64 bits, signed", { timeNs: 2n ** 63n, observedNs: 6n }, { timeNs: 6n }],
  ["a warning", { severityNumber: 16 }, { isError: false }],
  ["an error", { severityNumber: 17 }, { isError: true }],
  ["a trace id of zeros", { traceId: "0".repeat(32) }, { traceId: "" }],
  ["a trace id too short", { traceId: "abcd" }, { traceId: "" }],
  ["a span id too long", { spanId: `${SPAN_ID}00` }, { spanId: "" }],
  ["an empty uid", { attributes: { "log.record.uid": "" } }, { id: "request-0-0" }],
  ["a uid of 128", { attributes: { "log.record.uid": "u".repeat(128) } }, { id: "u".repeat(128) }],
  ["a uid of 129", { attributes: { "log.record.uid": "u".repeat(129) } }, { id: "request-0-0" }],
  [
    "a status unheard of",
    { attributes: { "clew.transaction.status": "ok" } },
    { transactionStatus: "" },
  ],
  [
    "an end by time",
    { attributes: { "clew.transaction.status": "timed-out" } },
    { transactionStatus: "timed-out" },
  ],
])("a log record with %s", (_name, record, want) => {
  expect(decodeLog(record)).toMatchObject(want);
});

test.each<[string, AnyTestValue, string]>([
  ["a text", "hello", "hello"],
  ["an empty text", "", ""],
  ["nothing", null, ""],
  ["a whole number", 42, "42"],
  ["a large number", 2n ** 62n, "4611686018427387904"],
  ["a fraction", 1.5, "1.5"],
  ["no number", Number.NaN, "NaN"],
  ["true", true, "true"],
  ["bytes", Buffer.from([1, 2, 255]), "AQL/"],
  ["a list", [1, "a", [true, null]], '[1,"a",[true,null]]'],
  ["an object", { a: 1, b: { c: "d" } }, '{"a":1,"b":{"c":"d"}}'],
  ["a hostile key", { __proto__x: 1, ["__proto__"]: 2 }, '{"__proto__x":1,"__proto__":2}'],
])("a log record whose body is %s", (_name, body, want) => {
  expect(decodeLog({ body }).text).toBe(want);
});

test("a log record with a long body is searched in part, cut between characters", () => {
  const { text, payload } = decodeLog({ body: `x${"é".repeat(TEXT_BYTES_MAX)}` });
  expect(Buffer.byteLength(text)).toBe(TEXT_BYTES_MAX - 1);
  expect(text.endsWith("é")).toBe(true);
  expect(payload.length).toBeGreaterThan(2 * TEXT_BYTES_MAX);
  const parts = Array.from({ length: 20_000 }, (_, i) => `part ${i}`);
  expect(decodeLog({ body: parts }).text.length).toBeLessThanOrEqual(TEXT_BYTES_MAX);
});

test("a log record with a body as deep as can be sent does not end the process", () => {
  let value = anyValue("deep");
  for (let depth = 0; depth < 5000; depth++) value = field.bytes(5, field.bytes(1, value));
  const request = field.bytes(1, field.bytes(2, field.bytes(2, field.bytes(5, value))));
  const [record] = decode(request);
  expect(record?.text).toContain("…");
});

test.each<[string, Record<string, AnyTestValue>, AnyTestValue, string]>([
  [
    "type and message",
    { type: "TypeError", message: "x is not" },
    "boom",
    "boom\nTypeError: x is not",
  ],
  ["message alone", { message: "x is not" }, "boom", "boom\nx is not"],
  ["what the body says", { message: "boom" }, "it went boom", "it went boom"],
  ["no body", { type: "TypeError", message: "x" }, null, "TypeError: x"],
  ["a stack alone", { stacktrace: "Error: y\n  at a.js:1" }, "boom", "boom\nError: y"],
])("a log record with an exception: %s", (_name, exception, body, want) => {
  const attributes = Object.fromEntries(
    Object.entries(exception).map(([key, value]) => [`exception.${key}`, value]),
  );
  expect(decodeLog({ body, attributes }).text).toBe(want);
});

const json = (value: unknown) => JSON.stringify(value);
test.each<[string, Partial<TestLogRecord>, string]>([
  [
    "the first name first",
    { attributes: { transaction_id: "b", "clew.transaction.id": "a" } },
    "a",
  ],
  ["a dotted attribute", { attributes: { "labels.transaction_id": "d" } }, "d"],
  ["a whole number", { attributes: { transaction_id: 4711 } }, "4711"],
  [
    "past one that cannot be taken",
    { attributes: { transaction_id: "a b", correlationId: "c" } },
    "c",
  ],
  ["none that cannot be taken", { attributes: { transaction_id: "x".repeat(65) } }, ""],
  ["none that is no text", { attributes: { transaction_id: ["x"] } }, ""],
  ["a field of the body", { body: { transaction_id: "e" } }, "e"],
  ["a way through the body", { body: { labels: { transaction_id: "f" } } }, "f"],
  ["a dotted field of the body", { body: { "labels.transaction_id": "g" } }, "g"],
  ["a field of JSON", { body: json({ msg: "m", transaction_id: "h" }) }, "h"],
  ["a way through JSON", { body: json({ clew: { transaction: { id: "i" } } }) }, "i"],
  ["a number in JSON", { body: json({ transaction_id: 12 }) }, "12"],
  [
    "JSON longer than the text",
    { body: json({ pad: "p".repeat(40_000), transaction_id: "j" }) },
    "j",
  ],
  ["not what only looks like JSON", { body: '{"transaction_id": "k"' }, ""],
  ["not what lies deeper", { body: json({ other: { transaction_id: "l" } }) }, ""],
  ["not inherited fields", { body: json({ msg: "transaction_id" }) }, ""],
  [
    "the attribute before the body",
    { attributes: { correlationId: "m" }, body: { transaction_id: "n" } },
    "m",
  ],
])("a transaction ID is taken from %s", (_name, record, want) => {
  expect(decodeLog(record).transactionId).toBe(want);
});

test("a transaction ID is the resource's where the record has none", () => {
  const resource = { correlationId: "batch-7" };
  const records = [{}, { attributes: { transaction_id: "own" } }];
  const decoded = decode(
    logsRequest([
      { resource, records },
      { resource: {}, records: [{}] },
    ]),
  );
  expect(decoded.map((record) => record.transactionId)).toEqual(["batch-7", "own", ""]);
});

test("a transaction key may be a name that is read for something else as well", () => {
  const keys = new TransactionKeys(["service.name"]);
  const request = logsRequest([{ resource: { "service.name": "job-7" }, records: [{}] }]);
  const [decoded] = new MessageDecoder(keys).decode(deliver(request), 10);
  expect(decoded).toMatchObject([{ transactionId: "job-7", service: "job-7" }]);
});

test("a transaction ID that cannot be taken is counted", () => {
  const keys = new TransactionKeys(KEYS);
  const request = logsRequest([
    {
      resource: {},
      records: [{ attributes: { transaction_id: "a b" } }, { attributes: { transaction_id: "" } }],
    },
  ]);
  expect([...new MessageDecoder(keys).decode(deliver(request), 10)]).toHaveLength(1);
  expect(keys.ignored).toBe(1);
});

const span: TestSpan = {
  traceId: TRACE_ID,
  spanId: SPAN_ID,
  parentSpanId: "00f067aa0ba902b7",
  name: "POST /orders",
  kind: 2,
  startNs: 100n,
  endNs: 350n,
  attributes: { "clew.transaction.id": "tx-9" },
  status: { code: 2, message: "refused" },
  events: [{ name: "exception", timeNs: 200n, attributes: { "clew.transaction.id": "not me" } }],
  links: [{ traceId: TRACE_ID, spanId: SPAN_ID }],
};

test("a span is read in full", () => {
  expect(decodeSpan(span)).toMatchObject({
    kind: "span",
    id: `${TRACE_ID}-${SPAN_ID}-s2`,
    timeNs: 100n,
    durationNs: 250n,
    transactionId: "tx-9",
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    parentSpanId: "00f067aa0ba902b7",
    severityNumber: 0,
    isError: true,
    spanKind: 2,
    isEntry: false,
    transactionStatus: "",
    text: "POST /orders",
  });
});

const root: TestSpan = { traceId: TRACE_ID, spanId: SPAN_ID, name: "", startNs: 1n, endNs: 2n };
const start = { "clew.transaction.start": true };
const noStart = { "clew.transaction.start": false };
test.each<[string, Partial<TestSpan>, Partial<IncomingRecord>]>([
  ["no parent", {}, { isEntry: true }],
  ["a parent of zeros", { parentSpanId: "0".repeat(16) }, { isEntry: true, parentSpanId: "" }],
  ["a parent", { parentSpanId: SPAN_ID }, { isEntry: false }],
  [
    "a parent, and a transaction begun",
    { parentSpanId: SPAN_ID, attributes: start },
    { isEntry: true },
  ],
  ["a parent, and none begun", { parentSpanId: SPAN_ID, attributes: noStart }, { isEntry: false }],
  ["an end before its start", { startNs: 9n, endNs: 3n }, { timeNs: 9n, durationNs: 0n }],
  ["no start", { startNs: 0n, endNs: 3n }, { timeNs: RECEIVED_NS, durationNs: 0n }],
  ["no trace id", { traceId: "" }, { id: "request-0-0", traceId: "" }],
  ["a span id of zeros", { spanId: "0".repeat(16) }, { id: "request-0-0" }],
  ["another kind", { kind: 3 }, { id: `${TRACE_ID}-${SPAN_ID}-s3` }],
  ["a status that is well", { status: { code: 1 } }, { isError: false }],
])("a span with %s", (_name, fields, want) => {
  expect(decodeSpan({ ...root, ...fields })).toMatchObject(want);
});

const RUN = "0123456789abcdef".repeat(2);
const ofRun = { "service.name": "s", "clew.run.id": RUN };
const numbers = (record: IncomingRecord | undefined) =>
  record && [record.runId, record.sequence, record.numberedNs, record.isAfterSpan];

test("a log record of a run has its number, and when it got it", () => {
  const uid = { "log.record.uid": `${RUN}-7` };
  const after = { ...uid, "clew.log.after_span": true };
  const records: TestLogRecord[] = [
    { attributes: uid, timeNs: 5n, observedNs: 9n },
    { attributes: after, timeNs: 5n },
    { attributes: { ...uid, "clew.log.after_span": "true" } },
    { attributes: { "log.record.uid": "other-7" }, timeNs: 5n },
  ];
  const decoded = decode(logsRequest([{ resource: ofRun, records }]));
  expect(decoded.map(numbers)).toEqual([
    [RUN, 7, 9n, false],
    [RUN, 7, 5n, true],
    [RUN, 7, RECEIVED_NS, false],
    [RUN, 0, 5n, false],
  ]);
  const foreign = [
    {},
    { "clew.run.id": "r".repeat(65) },
    { "clew.run.id": ["r"] },
    { "clew.run.id": 7 },
  ].map((resource) => decode(logsRequest([{ resource, records: [{ attributes: uid }] }]))[0]);
  expect(foreign.map((record) => [record?.runId, record?.sequence])).toEqual([
    ...[
      ["", 0],
      ["", 0],
      ["", 0],
      ["7", 0],
    ],
  ]);
});

test("a record that is sent again has the id and number it had, whatever became of its uid", () => {
  const named = (records: TestLogRecord[], recordId: string) => {
    const sent = deliver(logsRequest([{ resource: ofRun, records }]));
    return decodeAll({ ...sent, headers: { ...sent.headers, recordId } });
  };
  const [record] = named([{ attributes: { "log.record.uid": "edited" } }], `${RUN}-9`);
  expect([record?.id, record?.sequence]).toEqual([`${RUN}-9`, 9]);
  const several = named([{}, {}, {}], "once");
  expect(several.map(({ id }) => id)).toEqual(["once", "once-1", "once-2"]);
});

test("a span of a run has its number, which it got at its end", () => {
  const attributes = { "clew.span.sequence": 3, "clew.log.after_span": true };
  const spans = [{ ...span, attributes }, span, { ...span, attributes, startNs: 400n }];
  const decoded = decode(tracesRequest([{ resource: ofRun, spans }]), "traces");
  expect(decoded.map(numbers)).toEqual([
    [RUN, 3, 350n, false],
    [RUN, 0, 350n, false],
    [RUN, 3, 400n, false],
  ]);
  const [foreign] = decode(tracesRequest([{ resource: {}, spans }]), "traces");
  expect(numbers(foreign)).toEqual(["", 0, 350n, false]);
});

test("a message may have its fields in any order", () => {
  const keyValue = Buffer.concat([
    field.bytes(2, anyValue("orders")),
    field.text(1, "service.name"),
  ]);
  const idValue = Buffer.concat([field.bytes(2, anyValue("tx")), field.text(1, "transaction_id")]);
  const log = Buffer.concat([
    field.text(99, "not known"),
    field.bytes(6, idValue),
    field.bytes(5, anyValue("backwards")),
  ]);
  const scoped = Buffer.concat([
    field.text(3, "scope-schema"),
    field.bytes(2, log),
    field.bytes(1, field.text(1, "scope")),
  ]);
  const group = Buffer.concat([
    field.text(3, "resource-schema"),
    field.bytes(2, scoped),
    field.bytes(1, field.bytes(1, keyValue)),
  ]);
  const [record] = decode(field.bytes(1, group));
  expect(record).toMatchObject({
    service: "orders",
    transactionId: "tx",
    text: "backwards",
    resourceSchemaUrl: "resource-schema",
    scopeSchemaUrl: "scope-schema",
  });
  expect(Buffer.from(record?.scope ?? [])).toEqual(field.text(1, "scope"));
});

test("a message counts its records through all resources, in lists as asked for", () => {
  const records = [{}, {}, {}];
  const resources = ["a", "b"].map((name) => ({ resource: { "service.name": name }, records }));
  const lists = [...decoder().decode(deliver(logsRequest(resources)), 4)];
  expect(lists.map((list) => list.length)).toEqual([4, 2]);
  expect(lists.flat().map(({ id, service }) => `${id} ${service}`)).toEqual(
    ["a", "a", "a", "b", "b", "b"].map((service, index) => `request-0-${index} ${service}`),
  );
});

test("a message without records gives none", () => {
  expect(decode(Buffer.alloc(0))).toEqual([]);
  expect(decode(logsRequest([{ resource: {}, records: [] }]))).toEqual([]);
});

test.each([
  ["a step", "clew.transaction.step", true],
  ["a compensation", "clew.transaction.compensation", true],
  ["a deadline", "clew.transaction.deadline", true],
  ["an end", "clew.transaction.end", true],
  ["a breaker", "clew.breaker", false],
  ["somebody's own", "order.placed", false],
  ["no name", "", false],
])("an event of the transaction is known by its name: %s", (_, name, want) => {
  expect(decodeLog({ attributes: { "event.name": name } }).isTransactionEvent).toBe(want);
  expect(decodeLog({ attributes: { name } }).isTransactionEvent).toBe(false);
});

test.each<[AnyTestValue, bigint]>([
  [1_700_000_000_123, 1_700_000_000_123_000_000n],
  ["1700000000123", 1_700_000_000_123_000_000n],
  [8_640_000_000_000_000, 8_640_000_000_000_000_000_000n],
  [8_640_000_000_000_001, 0n],
  [-1, 0n],
  [1.5, 0n],
  ["soon", 0n],
  ["99999999999999999999999", 0n],
  [true, 0n],
  [null, 0n],
])("a deadline of %j is %s ns", (value, want) => {
  const attributes = { "clew.transaction.deadline_ms": value };
  expect(decodeLog({ attributes }).deadlineNs).toBe(want);
  const times = { startNs: 1n, endNs: 2n };
  expect(
    decodeSpan({ traceId: TRACE_ID, spanId: SPAN_ID, name: "x", ...times, attributes }).deadlineNs,
  ).toBe(want);
});

test("a message that is cut off, or of a topic unheard of, is refused or a shorter one", () => {
  const whole = logsRequest([
    { resource: { "service.name": "s" }, scope: "x", records: [{ body: "b", timeNs: 1n }] },
  ]);
  let refused = 0;
  for (let bytes = 0; bytes < whole.length; bytes++) {
    try {
      expect(decode(whole.subarray(0, bytes)).length).toBeLessThanOrEqual(1);
    } catch (error) {
      expect(error).toMatchObject({ code: "REQUEST_MALFORMED" });
      refused++;
    }
  }
  expect(refused).toBe(whole.length - 1);
  expect(() => decode(whole, "metrics")).toThrow(/cannot index metrics/);
});

function decoder(): MessageDecoder {
  return new MessageDecoder(new TransactionKeys(KEYS));
}

function deliver(
  value: Buffer,
  { topic = "logs", part = 0 }: { topic?: Topic; part?: number } = {},
): DeliveredMessage {
  const headers = {
    requestId: "request",
    part,
    records: 1,
    receivedNs: RECEIVED_NS,
    repeat: false,
  };
  return { partition: "embedded/0", offset: 0, topic, headers, value };
}

function decodeAll(message: DeliveredMessage): IncomingRecord[] {
  return [...decoder().decode(message, 1000)].flat();
}

function decode(value: Buffer, topic: Topic = "logs"): IncomingRecord[] {
  return decodeAll(deliver(value, { topic }));
}

function decodeLog(record: TestLogRecord): IncomingRecord {
  const [decoded] = decode(logsRequest([{ resource: {}, records: [record] }]));
  if (decoded === undefined) throw new Error("no record was decoded");
  return decoded;
}

function decodeSpan(span: TestSpan): IncomingRecord {
  const [decoded] = decode(tracesRequest([{ resource: {}, spans: [span] }]), "traces");
  if (decoded === undefined) throw new Error("no span was decoded");
  return decoded;
}
