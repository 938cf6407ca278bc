import { describe, expect, it } from "vitest";
import {
  anyValue,
  field,
  logsRequest,
  metricsRequest,
  tracesRequest,
  varint,
} from "../../test/otlp-fixtures.ts";
import { ClewError } from "../errors.ts";
import { MESSAGE_DEPTH_MAX } from "./message-schema.ts";
import type { Signal } from "./otlp-schema.ts";
import { walkOtlp } from "./otlp-walk.ts";

const TRACE_ID = "5b8efff798038103d269b633813fc60c";
const SPAN_ID = "eee19b7ec3c1b174";

const LOGS = logsRequest([
  {
    resource: { "service.name": "orders", "host.id": 7 },
    scope: "pino",
    records: [
      {
        timeNs: 1_700_000_000_000_000_001n,
        observedNs: 1_700_000_000_000_000_002n,
        severityNumber: 9,
        severityText: "INFO",
        body: "Bestellung angenommen für Zoë 👋",
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        attributes: { list: [1, 2.5, true, null, "x"], map: { deep: -1n }, raw: Buffer.of(0xff) },
      },
      { body: { text: "a map as body" } },
    ],
  },
  { resource: { "service.name": "payments" }, records: [{ body: "third" }] },
]);

const TRACES = tracesRequest([
  {
    resource: { "service.name": "orders" },
    spans: [
      {
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        parentSpanId: "eee19b7ec3c1b175",
        name: "POST /orders",
        kind: 2,
        startNs: 1n,
        endNs: 2n,
        attributes: { "http.route": "/orders" },
        status: { code: 2, message: "no stock" },
        events: [{ name: "retry", timeNs: 1n, attributes: { attempt: 2 } }],
        links: [{ traceId: TRACE_ID, spanId: SPAN_ID, attributes: { why: "batch" } }],
      },
    ],
  },
]);

describe("counting records", () => {
  it.each<[string, Signal, Buffer, number]>([
    ["no bytes", "logs", Buffer.alloc(0), 0],
    ["two resources", "logs", LOGS, 3],
    ["a span with events and links", "traces", TRACES, 1],
    ["data points", "metrics", metricsRequest("cpu", [1, 2, 3]), 3],
    ["a resource without records", "logs", logsRequest([{ resource: {}, records: [] }]), 0],
    ["the same fields, last one first", "logs", reversed(LOGS), 3],
    ["spans, last field first", "traces", reversed(TRACES), 1],
  ])("%s", (_name, signal, request, records) => {
    expect(walkOtlp(signal, request)).toBe(records);
  });

  it("looks at the view it was given, not at the buffer under it", () => {
    const padded = Buffer.concat([Buffer.alloc(7, 0xff), LOGS, Buffer.alloc(7, 0xff)]);
    expect(walkOtlp("logs", padded.subarray(7, 7 + LOGS.length))).toBe(3);
  });

  it("counts packed and unpacked numbers of a histogram alike", () => {
    const unpacked = Buffer.concat([field.fixed64(6, 1n), field.fixed64(6, 2n)]);
    const packed = field.bytes(6, Buffer.alloc(16));
    for (const buckets of [unpacked, packed]) {
      expect(walkOtlp("metrics", histogramWith(buckets))).toBe(1);
    }
    expect(() => walkOtlp("metrics", histogramWith(field.bytes(6, Buffer.alloc(15))))).toThrow(
      "a packed number is cut off",
    );
  });
});

describe("cut off", () => {
  it.each<[Signal, Buffer]>([
    ["logs", LOGS],
    ["traces", TRACES],
    ["logs", reversed(LOGS)],
  ])("%s at every byte: refused, or whole messages less", (signal, request) => {
    const whole = walkOtlp(signal, request);
    const topLevelEnds = endsOfTopLevelFields(request);
    let refused = 0;
    for (let length = 0; length < request.length; length++) {
      const cut = request.subarray(0, length);
      if (topLevelEnds.has(length)) {
        expect(walkOtlp(signal, cut)).toBeLessThan(whole);
      } else {
        refused++;
        expect(() => walkOtlp(signal, cut), `cut at ${length}`).toThrow(ClewError);
      }
    }
    expect(refused).toBe(request.length - topLevelEnds.size);
  });
});

describe("hostile bytes", () => {
  it.each<[string, Buffer, string]>([
    ["text that is no protobuf", Buffer.from("hello, world"), "cannot read the protobuf"],
    ["field number 0", inRecord(Buffer.of(0x02, 0x00)), "field 0 of LogRecord has wire type 2"],
    ["a group", inRecord(Buffer.of(0x0b, 0x0c)), "field 1 of LogRecord has wire type 3"],
    ["a group in an unknown field", inRecord(varint((90 << 3) | 3)), "field 90 of LogRecord"],
    ["wire type 6", inRecord(Buffer.of(0x2e)), "field 5 of LogRecord has wire type 6"],
    ["wire type 7", inRecord(Buffer.of(0x2f)), "field 5 of LogRecord has wire type 7"],
    ["time as varint", inRecord(field.varint(1, 5)), "field 1 of LogRecord has wire type 0"],
    ["severity as string", inRecord(field.text(2, "INFO")), "field 2 of LogRecord"],
    ["body as number", inRecord(field.fixed64(5, 1n)), "field 5 of LogRecord has wire type 1"],
    ["flags as varint", inRecord(field.varint(8, 1)), "field 8 of LogRecord has wire type 0"],
    ["a resource as varint", field.bytes(1, field.varint(1, 1)), "field 1 of ResourceLogs"],
    ["an 11-byte varint", inRecord(overlong(11)), "a varint is longer than 10 bytes"],
    ["70 bits in a varint", inRecord(tenBytes(0x7f)), "a varint is larger than 64 bits"],
    ["a varint without end", inRecord(Buffer.of(0x10, 0x80)), "a number is cut off"],
    ["a fixed64 without end", inRecord(Buffer.of(0x09, 1, 2)), "a number is cut off"],
    ["a fixed32 without end", inRecord(Buffer.of(0x45, 1, 2)), "a number is cut off"],
    ["a length of 2^35", inRecord(longLength()), "a length or a field number is out of range"],
    ["a length without end", inRecord(Buffer.of(0x2a, 0x80)), "a varint is cut off"],
    ["no length", inRecord(Buffer.of(0x2a)), "a varint is cut off"],
    ["a length over its message", inRecord(Buffer.of(0x2a, 0x05, 0x0a)), "longer than its message"],
    ["a length of 2 GiB less 1", inRecord(hugeLength()), "a field is longer than its message"],
  ])("%s", (_name, request, message) => {
    const error = refusalOf(() => walkOtlp("logs", request));
    expect(error.code).toBe("REQUEST_MALFORMED");
    expect(error.message).toContain(message);
  });

  it("takes the largest and the most negative integer", () => {
    const value = Buffer.concat([field.varint(3, 2n ** 63n - 1n), field.varint(3, -(2n ** 63n))]);
    expect(walkOtlp("logs", inRecord(field.bytes(5, value)))).toBe(1);
  });

  it.each([
    ["an unknown varint", field.varint(500, 7)],
    ["an unknown string, of any bytes", field.bytes(90, Buffer.of(0xff, 0xfe))],
    ["an unknown fixed64", field.fixed64(31, 7n)],
    ["an unknown fixed32", field.fixed32(536_870_911 >> 4, 7)],
    ["reserved field 4", field.bytes(4, Buffer.of(0xff))],
  ])("passes over %s", (_name, unknown) => {
    expect(walkOtlp("logs", inRecord(unknown))).toBe(1);
  });

  it("does not confuse signals: spans sent as logs are no log records", () => {
    expect(() => walkOtlp("logs", TRACES)).toThrow(ClewError);
  });
});

describe("nesting", () => {
  /** LogRecord is message 4, its body 5; each list adds two. */
  const deepestList = Math.floor((MESSAGE_DEPTH_MAX - 5) / 2);

  it("takes a body as deep as the bound", () => {
    expect(walkOtlp("logs", inRecord(field.bytes(5, nestedLists(deepestList))))).toBe(1);
  });

  it.each([deepestList + 1, 20_000])("refuses %i lists in each other", (lists) => {
    const error = refusalOf(() => walkOtlp("logs", inRecord(field.bytes(5, nestedLists(lists)))));
    expect(error.message).toContain(`nested deeper than ${MESSAGE_DEPTH_MAX}`);
  });
});

describe("attributes, which are passed over in one step where they are plain", () => {
  const pair = (key: Buffer, value: Buffer) => Buffer.concat([key, value]);
  const key = field.text(1, "http.route");
  const value = field.bytes(2, field.text(1, "/orders"));
  const taken = (attribute: Buffer) => {
    const record = field.bytes(2, field.bytes(6, attribute));
    try {
      return walkOtlp("logs", field.bytes(1, field.bytes(2, record))) === 1;
    } catch (error) {
      expect(error).toBeInstanceOf(ClewError);
      return false;
    }
  };

  it.each<[string, Buffer, boolean]>([
    ["plain", pair(key, value), true],
    ["value first", pair(value, key), true],
    ["no value", key, true],
    ["an empty value", pair(key, field.bytes(2, Buffer.alloc(0))), true],
    ["two values", pair(key, pair(value, value)), true],
    ["a field nobody knows", pair(key, pair(value, field.text(9, "new"))), true],
    ["a key that is not ASCII", pair(field.text(1, "größe"), value), true],
    ["a text that is not ASCII", pair(key, field.bytes(2, field.text(1, "größe"))), true],
    ["a long text", pair(key, field.bytes(2, field.text(1, "x".repeat(5000)))), true],
    ["a long key", pair(field.text(1, "k".repeat(300)), value), true],
    ["a key that is not UTF-8", pair(field.bytes(1, Buffer.of(0xff)), value), false],
    ["a text that is not UTF-8", pair(key, field.bytes(2, field.bytes(1, Buffer.of(0xc3)))), false],
    ["a value cut off", pair(key, value.subarray(0, -1)), false],
    ["a text longer than its value", pair(key, Buffer.of(0x12, 4, 0x0a, 3, 0x41, 0x41)), false],
    ["a text shorter than its value", pair(key, Buffer.of(0x12, 3, 0x0a, 0, 0x41)), false],
    ["a key of another wire type", Buffer.of(0x08, 1), false],
    ["a group", pair(key, Buffer.of(0x12, 1, 0x0b)), false],
  ])("%s", (_name, attribute, want) => {
    expect(taken(attribute)).toBe(want);
  });

  it("are as deep as others", () => {
    const nested = (text: string, levels: number) => {
      let any = field.text(1, text);
      for (let i = 0; i < levels; i++) {
        any = field.bytes(6, field.bytes(1, pair(key, field.bytes(2, any))));
      }
      return taken(pair(key, field.bytes(2, any)));
    };
    const levels = Array.from({ length: 40 }, (_, i) => i);
    const plain = levels.map((count) => nested("plain", count));
    expect(plain).toEqual(levels.map((count) => nested("größe", count)));
    expect(new Set(plain)).toEqual(new Set([true, false]));
  });
});

describe("strings", () => {
  const long = "ß".repeat(400);
  it.each<[string, Buffer, boolean]>([
    ["ASCII", Buffer.from("plain ASCII text of some length"), true],
    ["nothing", Buffer.alloc(0), true],
    ["two, three and four bytes", Buffer.from("é 漢 👋"), true],
    ["long text", Buffer.from(long), true],
    ["a lone continuation", Buffer.of(0x80), false],
    [
      "a bad byte among the last three",
      Buffer.concat([Buffer.alloc(8, 65), Buffer.of(0xff)]),
      false,
    ],
    ["a bad byte in the first eight", Buffer.from("4142ff4445464748494a", "hex"), false],
    ["a character cut off at the end", Buffer.from("👋").subarray(0, 3), false],
    ["an overlong slash", Buffer.of(0xc0, 0xaf), false],
    ["a surrogate", Buffer.of(0xed, 0xa0, 0x80), false],
    ["beyond U+10FFFF", Buffer.of(0xf4, 0x90, 0x80, 0x80), false],
    ["long text, cut off", Buffer.from(long).subarray(0, 799), false],
  ])("%s", (_name, text, isAccepted) => {
    const places = [
      inRecord(field.bytes(5, field.bytes(1, text))),
      inRecord(field.bytes(3, text)),
      inRecord(field.bytes(6, field.bytes(1, text))),
      field.bytes(1, field.bytes(1, field.bytes(1, field.bytes(1, text)))),
      field.bytes(1, field.bytes(3, text)),
    ];
    for (const request of places) {
      if (isAccepted) expect(walkOtlp("logs", request)).toBeLessThan(2);
      else expect(() => walkOtlp("logs", request)).toThrow("a string is not UTF-8");
    }
  });

  it("does not let a string borrow the bytes after it", () => {
    const cut = field.bytes(3, Buffer.of(0xc3));
    const lengthOf169 = field.bytes(5, field.bytes(1, Buffer.alloc(166, 0x41)));
    expect(() => walkOtlp("logs", inRecord(Buffer.concat([cut, lengthOf169])))).toThrow("UTF-8");
  });

  it("leaves bytes alone", () => {
    expect(walkOtlp("logs", inRecord(field.bytes(9, Buffer.alloc(16, 0xff))))).toBe(1);
    expect(walkOtlp("logs", inRecord(field.bytes(5, anyValue(Buffer.of(0xff)))))).toBe(1);
  });
});

/** An export request with one log record of these bytes. */
function inRecord(record: Buffer): Buffer {
  return field.bytes(1, field.bytes(2, field.bytes(2, record)));
}

function histogramWith(buckets: Buffer): Buffer {
  const metric = field.bytes(9, field.bytes(1, buckets));
  return field.bytes(1, field.bytes(2, field.bytes(2, metric)));
}

function nestedLists(depth: number): Buffer {
  let value = anyValue("innermost");
  for (let i = 0; i < depth; i++) value = field.bytes(5, field.bytes(1, value));
  return value;
}

function overlong(bytes: number): Buffer {
  return Buffer.concat([Buffer.of(0x10), Buffer.alloc(bytes - 1, 0x80), Buffer.of(0)]);
}

function tenBytes(last: number): Buffer {
  return Buffer.concat([Buffer.of(0x10), Buffer.alloc(9, 0xff), Buffer.of(last)]);
}

function longLength(): Buffer {
  return Buffer.concat([Buffer.of(0x2a), varint(2n ** 35n)]);
}

function hugeLength(): Buffer {
  return Buffer.concat([Buffer.of(0x2a), varint(2n ** 31n - 1n)]);
}

function refusalOf(walk: () => unknown): ClewError {
  try {
    walk();
  } catch (error) {
    if (error instanceof ClewError) return error;
    throw error;
  }
  throw new Error("the request was taken");
}

function endsOfTopLevelFields(request: Buffer): Set<number> {
  const ends = new Set([0]);
  for (let at = 0; at < request.length; ) {
    const { length, start } = lengthAt(request, at + 1);
    at = start + length;
    if (at < request.length) ends.add(at);
  }
  return ends;
}

/** The request with the fields of every message in reverse order, as the Collector writes them. */
function reversed(request: Buffer, depth = 0): Buffer {
  const fields: Buffer[] = [];
  for (let at = 0; at < request.length; ) {
    const tag = lengthAt(request, at);
    const wire = tag.length & 7;
    if (wire === 2) {
      const { length, start } = lengthAt(request, tag.start);
      const value = request.subarray(start, start + length);
      // Fields of records are turned round too; what is below them stays as it is.
      fields.push(field.bytes(tag.length >>> 3, depth < 3 ? reversed(value, depth + 1) : value));
      at = start + length;
    } else {
      const size = wire === 1 ? 8 : lengthAt(request, tag.start).start - tag.start;
      fields.push(request.subarray(at, tag.start + size));
      at = tag.start + size;
    }
  }
  return Buffer.concat(fields.reverse());
}

function lengthAt(bytes: Buffer, at: number): { length: number; start: number } {
  let length = 0;
  for (let shift = 0, start = at; ; shift += 7) {
    const byte = bytes[start++] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { length, start };
  }
}
