import { expect, test } from "vitest";
import { attributesOf } from "../../test/otlp-sink.ts";
import { EncodedAttributes } from "./encoded-attributes.ts";
import { SPAN } from "./otlp-span.ts";

test("encodes what it was given, without secrets, and knows its keys", () => {
  const encoded = new EncodedAttributes([
    "server.address",
    "shop",
    "server.port",
    80,
    "token",
    "x",
  ]);
  expect(attributesOf(Buffer.from(encoded.bytes), SPAN.attributes)).toEqual({
    ...{ "server.address": "shop", "server.port": 80, token: "[redacted]" },
  });
  expect(["server.port", "token", "shop", "80"].map((key) => encoded.has(key))).toEqual([
    ...[true, true, false, false],
  ]);
});

test("is empty where nothing was given", () => {
  const encoded = new EncodedAttributes([]);
  expect(encoded.bytes).toHaveLength(0);
  expect(encoded.has("")).toBe(false);
});
