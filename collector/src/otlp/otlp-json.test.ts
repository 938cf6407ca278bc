import { describe, expect, it } from "vitest";
import { decodeRequest } from "../../test/otlp-decoder.ts";
import { ClewError } from "../errors.ts";
import { SKIP_DEPTH_MAX } from "./json-scanner.ts";
import { MESSAGE_DEPTH_MAX } from "./message-schema.ts";
import { otlpJsonToProtobuf } from "./otlp-json.ts";
import type { Signal } from "./otlp-schema.ts";
import { walkOtlp } from "./otlp-walk.ts";

const MAX_BYTES = 1024 * 1024;

describe("what OTLP/JSON can say", () => {
  it("becomes the same request in protobuf", () => {
    const record = {
      timeUnixNano: "1544712660300000001",
      observedTimeUnixNano: "1544712660300000002",
      severityNumber: 10,
      severityText: "Information",
      traceId: "5B8EFFF798038103D269B633813FC60C",
      spanId: "EEE19B7EC3C1B174",
      body: { stringValue: 'Zoë said "hi"\n\u0001👋' },
      flags: 1,
      droppedAttributesCount: 3,
      eventName: "greeting",
      attributes: [
        { key: "s", value: { stringValue: "" } },
        { key: "b", value: { boolValue: false } },
        { key: "i", value: { intValue: "-9223372036854775808" } },
        { key: "d", value: { doubleValue: -0.5 } },
        { key: "a", value: { arrayValue: { values: [{ intValue: 1 }, {}] } } },
        { key: "m", value: { kvlistValue: { values: [{ key: "x", value: { intValue: "2" } }] } } },
        { key: "r", value: { bytesValue: "aGk_" } },
        { key: "none" },
      ],
    };
    const resource = { attributes: [{ key: "service.name", value: { stringValue: "a" } }] };
    const request = {
      resourceLogs: [
        {
          resource,
          schemaUrl: "https://opentelemetry.io/schemas/1.30.0",
          scopeLogs: [{ scope: { name: "n", version: "1" }, logRecords: [record, {}] }],
        },
      ],
    };
    expect(transcode("logs", JSON.stringify(request, null, 2))).toEqual({
      resourceLogs: [
        {
          resource,
          schemaUrl: "https://opentelemetry.io/schemas/1.30.0",
          scopeLogs: [
            {
              scope: { name: "n", version: "1" },
              logRecords: [
                {
                  ...record,
                  timeUnixNano: 1544712660300000001n,
                  observedTimeUnixNano: 1544712660300000002n,
                  traceId: record.traceId.toLowerCase(),
                  spanId: record.spanId.toLowerCase(),
                  attributes: [
                    { key: "s", value: { stringValue: "" } },
                    { key: "b", value: { boolValue: false } },
                    { key: "i", value: { intValue: -(2n ** 63n) } },
                    { key: "d", value: { doubleValue: -0.5 } },
                    { key: "a", value: { arrayValue: { values: [{ intValue: 1n }, {}] } } },
                    {
                      key: "m",
                      value: { kvlistValue: { values: [{ key: "x", value: { intValue: 2n } }] } },
                    },
                    { key: "r", value: { bytesValue: "aGk/" } },
                    { key: "none" },
                  ],
                },
                {},
              ],
            },
          ],
        },
      ],
    });
  });

  it("takes spans and every kind of data point", () => {
    const span = {
      name: "n",
      kind: 2,
      status: { code: 2, message: "m" },
      links: [{ spanId: "ab" }],
    };
    const traces = { resourceSpans: [{ scopeSpans: [{ spans: [span, { events: [{}] }] }] }] };
    expect(count("traces", traces)).toBe(2);
    const histogram = { bucketCounts: ["1", 2], explicitBounds: [0.5, "1e3"], max: "Infinity" };
    const exponential = { scale: -2, positive: { offset: -1, bucketCounts: [1, "2"] } };
    const metrics = [
      { name: "g", gauge: { dataPoints: [{ asDouble: 1 }, { asInt: "-1" }] } },
      { name: "s", sum: { dataPoints: [{}], aggregationTemporality: 2, isMonotonic: true } },
      { name: "h", histogram: { dataPoints: [histogram] } },
      { name: "e", exponentialHistogram: { dataPoints: [exponential] } },
      { name: "q", summary: { dataPoints: [{ quantileValues: [{ quantile: 0.5, value: 1 }] }] } },
    ];
    const request = { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] };
    expect(count("metrics", request)).toBe(6);
    expect(JSON.stringify(transcode("metrics", JSON.stringify(request)), textOfBigint)).toContain(
      '"scale":-2,"positive":{"offset":-1,"bucketCounts":["1","2"]}',
    );
  });

  it.each<[string, string, unknown]>([
    [
      "nanoseconds as a number, exactly",
      '"timeUnixNano":1544712660300000123',
      1544712660300000123n,
    ],
    ["the largest of 64 bits", '"timeUnixNano":"18446744073709551615"', 2n ** 64n - 1n],
    ["an exponent that is whole", '"timeUnixNano":1.5e3', 1500n],
    ["an enum's name", '"severityNumber":"SEVERITY_NUMBER_ERROR2"', 18],
    ["an enum's number", '"severityNumber":17', 17],
    ["a negative enum", '"severityNumber":-1', -1],
    ["snake case", '"time_unix_nano":"5"', 5n],
    ["an escaped key", '"time\\u0055nixNano":"5"', 5n],
    ["the last of two", '"timeUnixNano":"4","timeUnixNano":"5"', 5n],
  ])("takes %s", (_name, member, want) => {
    expect(Object.values(recordWith(member))).toEqual([want]);
  });

  it("replaces half a surrogate pair, which UTF-8 cannot hold, and keeps the record", () => {
    expect(recordWith('"severityText":"a\\ud83db\\u00e9"')).toEqual({ severityText: "a\ufffdbé" });
  });

  it.each([
    ["null", '"body":null,"attributes":null,"timeUnixNano":null'],
    ["unknown members", '"nieuw":{"a":[1,{"b":null}],"c":"\\u0041"},"\\u0000":true,"x":-0.1e-5'],
    ["no member", ""],
  ])("passes over %s", (_name, members) => {
    expect(recordWith(members)).toEqual({});
  });
});

describe("what it cannot say", () => {
  const inRecord = "$.resourceLogs[0].scopeLogs[0].logRecords[0]";
  it.each<[string, string, string]>([
    ["128-bit nanoseconds", '"timeUnixNano":"340282366920938463463374607431768211455"', "64 bits"],
    ["128 bits as a number", '"timeUnixNano":340282366920938463463374607431768211455', "64 bits"],
    ["2^64", '"timeUnixNano":18446744073709551616', "must be from 0 to 18446744073709551615"],
    ["negative nanoseconds", '"timeUnixNano":"-1"', "must be from 0"],
    ["half a nanosecond", '"timeUnixNano":0.5', "whole number"],
    ["text for time", '"timeUnixNano":"now"', "whole number"],
    ["an empty time", '"timeUnixNano":""', "whole number"],
    ["hex for time", '"timeUnixNano":"0x10"', "whole number"],
    ["a map for time", '"timeUnixNano":{}', "must be a number, not an object"],
    ["an unknown enum name", '"severityNumber":"LOUD"', "a name that the enum has"],
    ["an enum over 32 bits", '"severityNumber":2147483648', "to 2147483647"],
    ["a number for text", '"severityText":5', "must be a string, not a number"],
    ["a plain body", '"body":"text"', "must be an object, not a string"],
    ["attributes as a map", '"attributes":{"a":1}', "must be an array, not an object"],
    ["flags over 32 bits", '"flags":4294967296', "to 4294967295"],
    ["an id that is not hex", '"traceId":"xyz="', "must be hex"],
    ["half a byte of id", '"traceId":"abc"', "must be hex"],
    ["an id as number", '"spanId":12', "must be a string, not a number"],
  ])("%s: refused with the path", (_name, member, why) => {
    const name = /^"(\w+)"/.exec(member)?.[1];
    const message = refusal("logs", logWith(member));
    expect(message).toContain(`cannot read the JSON: ${inRecord}.${name}: `);
    expect(message).toContain(why);
  });

  it.each<[string, string, string]>([
    ["null among attributes", '"attributes":[null]', ".attributes[0]: must be an object, not null"],
    ["a bool of text", attribute('"boolValue":"true"'), ".value.boolValue: must be a boolean"],
    ["bytes that are not base64", attribute('"bytesValue":"!"'), ".bytesValue: must be base64"],
    ["a double of text", attribute('"doubleValue":"much"'), ".doubleValue: must be a number"],
    ["a double too large", attribute('"doubleValue":1e999'), "that a double can hold"],
    ["an integer of 65 bits", attribute('"intValue":"9223372036854775808"'), ".intValue: must be"],
    ["bytes of invalid UTF-8", '"severityText":"\xff"', "$: the text is not UTF-8"],
  ])("%s", (_name, member, why) => {
    expect(refusal("logs", logWith(member))).toContain(why);
  });

  it.each<[string, string]>([
    ["", "$: must be an object, not nothing"],
    ["   \n", "$: must be an object, not nothing"],
    ["null", "$: must be an object, not null"],
    ["[]", "$: must be an object, not an array"],
    ['"resourceLogs"', "$: must be an object, not a string"],
    ['{"resourceLogs":[}', "$.resourceLogs[0]: a value is expected"],
    ['{"resourceLogs":[{}', "the text ends"],
    ['{"resourceLogs":{}}', "$.resourceLogs: must be an array, not an object"],
    ['{"resourceLogs":[{}]} x', "the end is expected"],
    ['{"resourceLogs":[{}],}', "a key in quotes is expected"],
    ['{"resourceLogs":[{} {}]}', "$.resourceLogs: , or ] is expected where byte 20 is"],
    ['{"resourceLogs":[{}] 5}', "$: , or } is expected where byte 21 is"],
    ['{"resourceLogs":[{"resource":{}}{', "$.resourceLogs: , or ]"],
    ['{"resourceLogs":[{"resource":{"droppedAttributesCount":01}}]}', "no number stands at byte"],
    ['{"resourceLogs":[{"resource":{"droppedAttributesCount":1x}}]}', "no number stands at byte"],
    ["{resourceLogs:[]}", "a key in quotes is expected"],
    ['{"resourceLogs" []}', ": is expected"],
    ['{"a":tru}', "true is expected"],
    ['{"a":nul}', "null is expected"],
    ['{"a":01}', "no number stands at byte 5"],
    ['{"a":-}', "no number stands at byte 5"],
    ['{"a":1.}', "no number stands"],
    ['{"a":"unfinished', "does not end"],
    ['{"a":"unfinished\\', "does not end"],
    ['{"a":"tab\there"}', "a control character"],
    ['{"resourceLogs":[{"schemaUrl":"\\x41"}]}', "unknown escape"],
    [`{"a":${"9".repeat(2000)}}`, "a number of sensible length"],
    [`{"a":${"[".repeat(SKIP_DEPTH_MAX + 1)}`, `deeper than ${SKIP_DEPTH_MAX}`],
    [`{"a":${'{"a":'.repeat(500_000)}`, `deeper than ${SKIP_DEPTH_MAX}`],
  ])("%s", (json, why) => {
    const message = refusal("logs", json);
    expect(message).toMatch(/^cannot read the JSON: \$/);
    expect(message).toContain(why);
  });

  it("refuses the whole text cut off at any byte", () => {
    const json = logWith(`"body":{"stringValue":"a\\n"},${attribute('"intValue":"12"')}`);
    for (let length = 0; length < json.length; length++) {
      expect(refusal("logs", json.slice(0, length))).toContain("cannot read the JSON");
    }
  });
});

describe("bounds", () => {
  const deepest = Math.floor((MESSAGE_DEPTH_MAX - 5) / 2);

  it("takes values as deep as the walk does, and refuses deeper ones", () => {
    expect(count("logs", JSON.parse(logWith(nested(deepest))))).toBe(1);
    for (const depth of [deepest + 1, 100_000]) {
      expect(refusal("logs", logWith(nested(depth)))).toContain(`deeper than ${MESSAGE_DEPTH_MAX}`);
    }
  });

  it("refuses what is larger as protobuf than may be", () => {
    const bounds = Array.from({ length: 1000 }, () => 1);
    const point = { explicitBounds: bounds };
    const metrics = [{ histogram: { dataPoints: [point] } }];
    const json = Buffer.from(
      JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }),
    );
    const write = () => otlpJsonToProtobuf({ signal: "metrics", json, maxBytes: json.length });
    expect(write).toThrow(ClewError);
    expect(write).toThrow("cannot take the request: it is larger");
  });

  it("takes what is as large as may be, and not one byte more", () => {
    const json = Buffer.from(logWith('"severityText":"INFO"'));
    const { length } = otlpJsonToProtobuf({ signal: "logs", json, maxBytes: MAX_BYTES });
    expect(otlpJsonToProtobuf({ signal: "logs", json, maxBytes: length })).toHaveLength(length);
    const write = () => otlpJsonToProtobuf({ signal: "logs", json, maxBytes: length - 1 });
    expect(write).toThrow(`cannot take the request: it is larger than ${length - 1} bytes`);
  });

  it("keeps what was made of one request apart from the next", () => {
    const [first, second] = ["a", "b"].map((letter) => {
      const json = Buffer.from(logWith(`"severityText":"${letter.repeat(100_000)}"`));
      return otlpJsonToProtobuf({ signal: "logs", json, maxBytes: MAX_BYTES });
    }) as [Buffer, Buffer];
    expect(first.includes("b")).toBe(false);
    expect(second.includes("a")).toBe(false);
    expect(first.buffer.byteLength).toBe(first.length);
  });

  it.each<[string, string, number]>([
    ["from the start", `"explicitBounds":[0],"unknown":"${"x".repeat(4_000_000)}"`, 9],
    ["only at the end", `"explicitBounds":[${"1,".repeat(299_999)}1]`, 9 * 300_000],
  ])("takes a request for which the shared memory is too small %s", (_name, members, bytes) => {
    const text = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{`;
    const json = Buffer.from(`${text}${members}}]}}]}]}]}`);
    const protobuf = otlpJsonToProtobuf({ signal: "metrics", json, maxBytes: 16 * MAX_BYTES });
    expect(walkOtlp("metrics", protobuf)).toBe(1);
    expect(protobuf.length - bytes).toBeLessThan(30);
  });

  it("moves messages whose length takes other than the last one's", () => {
    const lengths = [3, 200, 5, 20_000, 100, 300, 0];
    const values = lengths.map((length) => ({ stringValue: "x".repeat(length) }));
    const record = recordWith(`"body":${JSON.stringify({ arrayValue: { values } })}`);
    expect(record).toEqual({ body: { arrayValue: { values } } });
  });

  it("writes lengths of one to four bytes", () => {
    for (const length of [0, 127, 128, 16_383, 16_384, 700_000]) {
      const record = recordWith(`"body":{"stringValue":"${"x".repeat(length)}"}`);
      expect(record).toEqual({ body: { stringValue: "x".repeat(length) } });
    }
  });
});

/** A request with one record of these members. `\xff` stands for the byte, which is not UTF-8. */
function logWith(members: string): string {
  return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${members}}]}]}]}`;
}

function attribute(value: string): string {
  return `"attributes":[{"key":"k","value":{${value}}}]`;
}

function nested(depth: number): string {
  const open = '{"arrayValue":{"values":['.repeat(depth);
  return `"body":${open}{"stringValue":"x"}${"]}}".repeat(depth)}`;
}

function toBytes(json: string): Buffer {
  return json.includes("\xff") ? Buffer.from(json, "latin1") : Buffer.from(json);
}

function transcode(signal: Signal, json: string): unknown {
  const bytes = otlpJsonToProtobuf({ signal, json: toBytes(json), maxBytes: MAX_BYTES });
  walkOtlp(signal, bytes);
  return decodeRequest(signal, bytes);
}

function count(signal: Signal, request: object): number {
  const json = Buffer.from(JSON.stringify(request));
  return walkOtlp(signal, otlpJsonToProtobuf({ signal, json, maxBytes: MAX_BYTES }));
}

function recordWith(members: string): object {
  const json = transcode("logs", logWith(members)) as {
    resourceLogs: [{ scopeLogs: [{ logRecords: [object] }] }];
  };
  return json.resourceLogs[0].scopeLogs[0].logRecords[0];
}

function refusal(signal: Signal, json: string): string {
  try {
    otlpJsonToProtobuf({ signal, json: toBytes(json), maxBytes: MAX_BYTES });
  } catch (error) {
    if (!(error instanceof ClewError)) throw error;
    expect(error.code).toBe("REQUEST_MALFORMED");
    return error.message;
  }
  throw new Error("the request was taken");
}

function textOfBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
