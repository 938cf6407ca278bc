import { expect, test } from "vitest";
import { decodeHeaders, encodeHeaders, type ReceivedMessage } from "./kafka-headers.ts";

const PLACE = { topic: "clew.logs", partition: 3, offset: "42", timestamp: "1700000000123" };
const OWN = { requestId: "r-1", part: 2, records: 1000, receivedNs: 7n, repeat: true };
const DERIVED = {
  requestId: "kafka-clew.logs-3-42-1700000000123",
  part: 0,
  records: 0,
  receivedNs: 1_700_000_000_123_000_000n,
  repeat: false,
};

test("are read back as they were written, as text and as bytes", () => {
  const headers = encodeHeaders(OWN);
  expect(decodeHeaders({ ...PLACE, headers })).toEqual(OWN);
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]);
  expect(decodeHeaders({ ...PLACE, headers: Object.fromEntries(bytes) })).toEqual(OWN);
});

test("of a replay say what id its record has, and when it was asked for", () => {
  const replay = { ...OWN, recordId: "run-ü-17", replayedNs: 2n ** 63n - 1n };
  expect(decodeHeaders({ ...PLACE, headers: encodeHeaders(replay) })).toEqual(replay);
  const wrong = { "clew.record.id": "x".repeat(257), "clew.replayed": "soon" };
  const headers = { ...encodeHeaders(OWN), ...wrong };
  expect(Object.keys(decodeHeaders({ ...PLACE, headers }))).toEqual(Object.keys(OWN));
});

test("of several values the last counts", () => {
  const headers = { ...encodeHeaders(OWN), "clew.part": ["7", Buffer.from("2")] };
  expect(decodeHeaders({ ...PLACE, headers })).toEqual(OWN);
});

test.each<[string, ReceivedMessage["headers"]]>([
  ["none", undefined],
  ["an empty list", {}],
  ["others'", { traceparent: "00-1-2-01" }],
  ["no request id", { ...encodeHeaders(OWN), "clew.request.id": undefined }],
  ["a request id too long", { ...encodeHeaders(OWN), "clew.request.id": "r".repeat(257) }],
  ["no number of the part", { ...encodeHeaders(OWN), "clew.part": undefined }],
  ["a negative part", { ...encodeHeaders(OWN), "clew.part": "-1" }],
  ["a part that is no number", { ...encodeHeaders(OWN), "clew.part": "1e3" }],
  ["more records than can be counted", { ...encodeHeaders(OWN), "clew.records": "9".repeat(19) }],
  ["no time", { ...encodeHeaders(OWN), "clew.received": "" }],
  ["a time too long", { ...encodeHeaders(OWN), "clew.received": "1".repeat(20) }],
])("with %s the ids come from where the message lies", (_, headers) => {
  expect(decodeHeaders({ ...PLACE, headers })).toEqual(DERIVED);
});

test("a message without a time was received in 1970", () => {
  expect(decodeHeaders({ ...PLACE, timestamp: "-1" }).receivedNs).toBe(0n);
});
