import { SEMANTIC } from "@clew/instrumentation/names";
import { expect, test } from "vitest";
import { sampleSpan } from "./record-samples.ts";
import { findFailure, spanTitle } from "./span-text.ts";

test.each([
  ["POST", "http://127.0.0.1:4342/payments?card=1", "POST /payments"],
  ["POST /orders", "http://127.0.0.1/else", "POST /orders"],
  ["charge card", "http://127.0.0.1/pay", "charge card"],
  ["GET", "no url", "GET"],
  ["GET", 42, "GET"],
])("a span %s that asked for %s reads %s", (message, url, want) => {
  expect(
    spanTitle(sampleSpan({ startMs: 0, message, attributes: { [SEMANTIC.urlFull]: url } })),
  ).toBe(want);
});

test.each([
  [{}, "", undefined],
  [{ [SEMANTIC.httpStatusCode]: 504 }, "", "HTTP 504"],
  [{ [SEMANTIC.httpStatusCode]: 200, [SEMANTIC.errorType]: "aborted" }, "", "aborted"],
  [{ [SEMANTIC.errorType]: "ECONNREFUSED" }, "", "ECONNREFUSED"],
  [{ [SEMANTIC.httpStatusCode]: 504 }, "the bank did not answer", "the bank did not answer"],
])("a span with %j and %j failed by %s", (attributes, statusMessage, want) => {
  const record = sampleSpan({ startMs: 0, attributes, of: { statusMessage } });
  expect(findFailure(record)).toBe(want);
});
