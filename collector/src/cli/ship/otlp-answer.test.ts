import { expect, test } from "vitest";
import { type HttpAnswer, type OtlpAnswer, readOtlpAnswer } from "./otlp-answer.ts";

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";
const text = (tag: number, value: string) =>
  Buffer.concat([Buffer.from([tag, value.length]), Buffer.from(value)]);
const partial = Buffer.concat([Buffer.from([0x08, 3]), text(0x12, "too old")]);

test.each<[string, Partial<HttpAnswer>, Partial<OtlpAnswer>]>([
  ["an empty success", { contentType: PROTOBUF }, { rejected: 0 }],
  [
    "a partial success in protobuf",
    { contentType: PROTOBUF, body: Buffer.concat([Buffer.from([0x0a, partial.length]), partial]) },
    { rejected: 3, reason: "too old" },
  ],
  [
    "a partial success in JSON",
    {
      contentType: JSON_TYPE,
      body: Buffer.from('{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"bad"}}'),
    },
    { rejected: 2, reason: "bad" },
  ],
  [
    "a Status in protobuf",
    {
      status: 400,
      contentType: PROTOBUF,
      body: Buffer.concat([Buffer.from([0x08, 3]), text(0x12, "no")]),
    },
    { rejected: 0, reason: "no" },
  ],
  [
    "a Status in JSON",
    { status: 503, body: Buffer.from('{"message":"full"}') },
    { reason: "full" },
  ],
  ["a page of a proxy", { status: 502, body: Buffer.from("<html>") }, { reason: "HTTP 502" }],
  ["JSON of another shape", { status: 500, body: Buffer.from("null") }, { reason: "HTTP 500" }],
  [
    "protobuf that breaks off",
    { status: 500, contentType: PROTOBUF, body: Buffer.from([0x12, 9, 0x61]) },
    { reason: "HTTP 500" },
  ],
  ["a wait", { status: 503, retryAfter: "2" }, { retryAfterMs: 2000 }],
  ["a very long wait", { status: 503, retryAfter: "86400" }, { retryAfterMs: 15_000 }],
  ["a wait until a date", { status: 503, retryAfter: "Wed, 21 Oct 2026" }, { retryAfterMs: 0 }],
])("%s", (_, answer, want) => {
  const whole = { status: 200, contentType: "", retryAfter: "", body: Buffer.alloc(0), ...answer };
  expect(readOtlpAnswer(whole)).toMatchObject(want);
});
