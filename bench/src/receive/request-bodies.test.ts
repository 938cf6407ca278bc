import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { otlpJsonToProtobuf } from "../../../collector/src/otlp/otlp-json.ts";
import { walkOtlp } from "../../../collector/src/otlp/otlp-walk.ts";
import { type BodyShape, makeBodies } from "./request-bodies.ts";

const PLAIN: BodyShape = { records: 10, format: "protobuf", isZipped: false };

it.for([1, 10, 1000])(
  "bodies of %d records are valid, distinct and of about 390 bytes",
  (records) => {
    const bodies = makeBodies({ ...PLAIN, records });
    expect(new Set(bodies.map((body) => body.toString("latin1"))).size).toBe(bodies.length);
    for (const body of bodies) expect(walkOtlp("logs", body)).toBe(records);
    const bytes = bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length / records;
    expect(bytes).toBeGreaterThan(370);
    expect(bytes).toBeLessThan(records === 1 ? 600 : 480);
  },
);

it("says the same in JSON, and zipped", () => {
  const plain = makeBodies(PLAIN);
  const json = makeBodies({ ...PLAIN, format: "json" });
  const zipped = makeBodies({ ...PLAIN, isZipped: true });
  expect(zipped.map((body) => gunzipSync(body))).toEqual(plain);
  const [first] = json as readonly [Buffer];
  const value = otlpJsonToProtobuf({ signal: "logs", json: first, maxBytes: 2 ** 20 });
  expect(walkOtlp("logs", value)).toBe(PLAIN.records);
  const words = (body: Buffer | undefined) =>
    body
      ?.toString("latin1")
      .match(/[a-z]{6,}/g)
      ?.toSorted();
  expect(words(value)?.length).toBeGreaterThan(100);
  expect(words(value)?.length).toBe(words(plain[0])?.length);
});

it("is the same in every run", () => {
  expect(makeBodies(PLAIN)).toEqual(makeBodies(PLAIN));
});
