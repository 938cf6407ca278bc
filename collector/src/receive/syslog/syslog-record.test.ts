import { expect, test } from "vitest";
import { SYSLOG } from "../../wire-names.ts";
import { findSyslogMessage, toContinuation, toSyslogRecord } from "./syslog-record.ts";

const OBSERVED_NS = BigInt(Date.UTC(2026, 9, 20)) * 1_000_000n;
const ORIGIN = {
  uid: "run-1",
  observedNs: OBSERVED_NS,
  peerAddress: "192.0.2.9",
  transactionKeys: ["clew.transaction.id", "transaction_id"],
};
const HEADER = "<165>1 2003-10-11T22:14:15.003Z host1 orders 77 ID47";
const HEADER_NS = BigInt(Date.UTC(2003, 9, 11, 22, 14, 15, 3)) * 1_000_000n;
const ID = "order-7";

function recordOf(line: string | Buffer) {
  const message = findSyslogMessage(Buffer.from(line), OBSERVED_NS);
  if (message === undefined) throw new Error("there is no message");
  return toSyslogRecord(message, { isCut: false }, ORIGIN);
}

test("each part of a message has its place in the record", () => {
  expect(recordOf(`${HEADER} [a@1 ip="x" ip="y" ip="z" n="v"] hello`)).toEqual({
    timeNs: HEADER_NS,
    severity: { number: 10, text: "notice" },
    body: "hello",
    attributes: {
      [SYSLOG.facilityCode]: 20,
      [SYSLOG.facilityName]: "local4",
      [SYSLOG.version]: 1,
      [SYSLOG.procId]: "77",
      [SYSLOG.msgId]: "ID47",
      [`${SYSLOG.structuredData}.a@1.ip`]: ["x", "y", "z"],
      [`${SYSLOG.structuredData}.a@1.n`]: "v",
      [SYSLOG.peerAddress]: "192.0.2.9",
    },
    service: "orders",
    host: "host1",
    traceId: undefined,
    spanId: undefined,
    transactionId: undefined,
    uid: "run-1",
    observedNs: OBSERVED_NS,
    file: undefined,
  });
});

test.each([
  ["a parameter of structured data", `${HEADER} [x@1 transaction_id="${ID}"] hello`],
  [
    "the first key that holds one",
    `${HEADER} [x@1 transaction_id="b"][y clew.transaction.id="${ID}"] c`,
  ],
  ["a JSON message", `${HEADER} - {"transaction_id":"${ID}","msg":"hello"}`],
  ["a CEE message", `${HEADER} - @cee:{"transaction_id":"${ID}","msg":"hello"}`],
  ["a CEE message after a blank", `<13>Oct 11 22:14:15 h a: @cee: {"transaction_id":"${ID}"}`],
  ["a pair in the text", `${HEADER} - hello transaction_id=${ID} and more`],
  ["a pair in a line that is no syslog", `hello transaction_id=${ID}`],
  ["structured data before the text", `${HEADER} [x transaction_id="${ID}"] transaction_id=other`],
])("the transaction ID from %s", (_, line) => {
  expect(recordOf(line).transactionId).toBe(ID);
});

test.each([
  `${HEADER} [x@1 transaction_id="not an id"] hello`,
  `${HEADER} [x@1 my_transaction_id="${ID}"] hello`,
  `${HEADER} - hello`,
])("no transaction ID in %s", (line) => {
  expect(recordOf(line).transactionId).toBeUndefined();
});

test("a message in JSON says its own time and level, and the header keeps its place", () => {
  const json = '{"level":"error","time":"2026-01-31T12:00:00Z","msg":"declined","card":{"n":4}}';
  const record = recordOf(`${HEADER} - ${json}`);
  expect(record.timeNs).toBe(BigInt(Date.UTC(2026, 0, 31, 12)) * 1_000_000n);
  expect(record.severity).toEqual({ number: 17, text: "error" });
  expect(record.body).toBe("declined");
  expect(record.service).toBe("orders");
  expect(record.attributes).toMatchObject({
    card: { n: 4 },
    [SYSLOG.severityCode]: 5,
    [SYSLOG.msgId]: "ID47",
  });
});

test("JSON without time and level has the header's; with no header the service is its own", () => {
  const plain = recordOf(`${HEADER} - {"a":1}`);
  expect(plain).toMatchObject({ timeNs: HEADER_NS, severity: { text: "notice" }, body: '{"a":1}' });
  expect(plain.attributes).not.toHaveProperty([SYSLOG.severityCode]);
  const bare = recordOf('{"service":"cart","level":"warn","msg":"m"}');
  expect(bare).toMatchObject({ service: "cart", severity: { number: 13 }, body: "m" });
});

test("text says time and level only where the header does not", () => {
  const text = "2026-01-31T12:00:00Z ERROR declined";
  expect(recordOf(`${HEADER} - ${text}`)).toMatchObject({
    timeNs: HEADER_NS,
    severity: { text: "notice" },
  });
  expect(recordOf(text)).toMatchObject({
    timeNs: BigInt(Date.UTC(2026, 0, 31, 12)) * 1_000_000n,
    severity: { text: "ERROR" },
    service: undefined,
    body: text,
  });
});

test("JSON that is broken, and a cookie before no JSON, are text", () => {
  expect(recordOf(`${HEADER} - {"a":`).body).toBe('{"a":');
  expect(recordOf(`${HEADER} - @cee: hello`).body).toBe("@cee: hello");
});

test("bytes that are no UTF-8 are read as ISO 8859-1; ends of lines are no text", () => {
  expect(recordOf(Buffer.from("<13>caf\xe9\r\n\0\n", "latin1")).body).toBe("café");
  expect(recordOf(Buffer.from("<13>café\n")).body).toBe("café");
  expect(findSyslogMessage(Buffer.from("\r\n\0"), OBSERVED_NS)).toBeUndefined();
});

test("pieces of a long message have what its header said, and are numbered", () => {
  const first = recordOf(`${HEADER} - transaction_id=${ID}`);
  const frame = { bytes: Buffer.from("b <34>c"), part: 2, isCut: true };
  const record = toContinuation(first, frame, { ...ORIGIN, uid: "run-3" });
  const { service, host, timeNs, severity, transactionId } = first;
  expect(transactionId).toBe(ID);
  expect(record).toMatchObject({ service, host, timeNs, severity, transactionId, uid: "run-3" });
  expect(record.body).toBe("b <34>c");
  expect(record.attributes).toMatchObject({ [SYSLOG.part]: 2, [SYSLOG.cut]: true });
});
