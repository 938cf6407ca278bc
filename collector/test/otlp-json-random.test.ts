/**
 * Random export requests as OTLP/JSON, in the many ways in which a sender may write the same thing,
 * against what was meant. The seeds are fixed, so a failure comes again.
 */
import { expect, it } from "vitest";
import {
  type FieldSchema,
  MESSAGE_SCHEMAS,
  type MessageSchema,
  REQUEST_SCHEMA,
} from "../src/otlp/message-schema.ts";
import { otlpJsonToProtobuf } from "../src/otlp/otlp-json.ts";
import type { Signal } from "../src/otlp/otlp-schema.ts";
import { walkOtlp } from "../src/otlp/otlp-walk.ts";
import { type Decoded, decodeRequest } from "./otlp-decoder.ts";

const SIGNALS: readonly Signal[] = ["logs", "traces", "metrics"];
const REQUESTS = 400;
const DEPTH_MAX = 12;
const MAX_BYTES = 64 * 1024 * 1024;
const SPACES = ["", "", "", "", " ", "\n  ", "\r\n\t"];
const PIECES = ["GET", " ", "http.route", "é", "日本", "👋", "!#[]~", "x".repeat(60)].concat(
  ['\\"', "\\\\", "\\n", "\\/", "\\u0041", "\\ud83d\\udc4b", "\\ud83d", "\\u0000", "{", ","],
  ["\u007f", "y".repeat(130), "z".repeat(1500)],
);
const DOUBLES = ["0", "-0.5", "1e3", "5", "1.7976931348623157e308", "5e-324", "0.1", "-12345.678"];
const BITS: Readonly<Record<string, readonly [bits: number, isSigned: boolean]>> = {
  int32: [32, true],
  sint32: [32, true],
  uint32: [32, false],
  fixed32: [32, false],
  int64: [64, true],
  sfixed64: [64, true],
  uint64: [64, false],
  fixed64: [64, false],
};

/** JSON, and what it says. */
interface Written {
  readonly json: string;
  readonly means: Decoded;
}

it.each(SIGNALS)("every request of %s says in protobuf what it said in JSON", (signal) => {
  let bytes = 0;
  for (let seed = 1; seed <= REQUESTS; seed++) {
    const { json, means } = new RequestWriter(seed).message(REQUEST_SCHEMA[signal], 1);
    const text = Buffer.from(json);
    const protobuf = otlpJsonToProtobuf({ signal, json: text, maxBytes: MAX_BYTES });
    walkOtlp(signal, protobuf);
    expect(decodeRequest(signal, protobuf), `seed ${seed}: ${json}`).toEqual(means);
    bytes += text.length;
  }
  expect(bytes).toBeGreaterThan(REQUESTS * 1000);
});

class RequestWriter {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  message(schema: MessageSchema, depth: number): Written {
    const members: string[] = [];
    const means: { [name: string]: Decoded } = {};
    for (const field of this.shuffled(schema.fields)) {
      if (depth > 3 && this.below(2) === 0) continue;
      if (depth > DEPTH_MAX && field.message !== undefined) continue;
      if (this.below(12) === 0) members.push(this.member("unknown", this.ignored()));
      const { json, means: value } = this.field(field, depth);
      members.push(this.member(this.name(field.name), json));
      if (value !== undefined) means[field.name] = value;
    }
    return { json: `{${members.join(",")}${members.length > 0 ? this.space() : ""}}`, means };
  }

  private field(field: FieldSchema, depth: number): { json: string; means: Decoded | undefined } {
    if (this.below(30) === 0) return { json: "null", means: undefined };
    if (!field.isRepeated) return this.value(field, depth);
    const length = depth < 4 ? 1 + this.below(2) : this.below(3);
    const elements = Array.from({ length }, () => this.value(field, depth));
    const json = `[${this.space()}${elements.map((element) => element.json).join(", ")}]`;
    return { json, means: length === 0 ? undefined : elements.map((element) => element.means) };
  }

  private value(field: FieldSchema, depth: number): Written {
    const { message, enumNames, scalar } = field;
    if (message !== undefined)
      return this.message(MESSAGE_SCHEMAS[message] as MessageSchema, depth + 1);
    if (enumNames !== undefined) return this.enumValue(enumNames);
    if (scalar === "string") return this.text();
    if (scalar === "bool")
      return this.pick([true, false].map((is) => ({ json: `${is}`, means: is })));
    if (scalar === "double") return this.double();
    if (scalar === "hex" || scalar === "bytes") return this.bytes(scalar);
    return this.integer(BITS[scalar ?? ""] ?? [64, false]);
  }

  private enumValue(names: readonly string[]): Written {
    const means = this.below(names.length);
    return { json: this.below(2) === 0 ? String(means) : `"${names[means]}"`, means };
  }

  private text(): Written {
    const pieces = Array.from({ length: this.below(5) }, () => this.pick(PIECES));
    const json = `"${pieces.join("")}"`;
    return { json, means: String(JSON.parse(json)).toWellFormed() };
  }

  private double(): Written {
    const text = this.below(2) === 0 ? this.pick(DOUBLES) : String(this.below(2 ** 31) / 1000);
    return this.pick([
      { json: text, means: Number(text) },
      { json: `"${text}"`, means: Number(text) },
      { json: '"-Infinity"', means: Number.NEGATIVE_INFINITY },
      { json: '"NaN"', means: Number.NaN },
    ]);
  }

  private bytes(scalar: "hex" | "bytes"): Written {
    const bytes = Buffer.from(Array.from({ length: this.below(200) }, () => this.below(256)));
    const hex = bytes.toString("hex");
    const base64 = bytes.toString(this.pick(["base64", "base64url"]));
    if (scalar === "bytes") return { json: `"${base64}"`, means: bytes.toString("base64") };
    return { json: `"${this.below(2) === 0 ? hex : hex.toUpperCase()}"`, means: hex };
  }

  /** Of any number of digits, from the smallest to the largest that the field can have. */
  private integer([bits, isSigned]: readonly [bits: number, isSigned: boolean]): Written {
    const random = BigInt(this.below(2 ** 32)) * 2n ** 32n + BigInt(this.below(2 ** 32));
    const shifted = random >> BigInt(this.below(64));
    const value = isSigned ? BigInt.asIntN(bits, shifted) : BigInt.asUintN(bits, shifted);
    const json = this.below(2) === 0 ? String(value) : `"${value}"`;
    return { json, means: bits === 64 ? value : Number(value) };
  }

  private name(name: string): string {
    if (this.below(10) > 0) return name;
    const escaped = `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
    return this.pick([name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), escaped]);
  }

  private ignored(): string {
    return this.pick(["null", "-1.5e-3", '"\\u0041"', '{"key":[{},[]],"":true}', "[]", "false"]);
  }

  private member(name: string, json: string): string {
    return `${this.space()}"${name}"${this.space()}:${this.space()}${json}`;
  }

  private space(): string {
    return this.pick(SPACES);
  }

  private shuffled<T>(list: readonly T[]): readonly T[] {
    if (this.below(2) === 0) return list;
    const keyed = list.map((item) => ({ item, order: this.below(2 ** 31) }));
    return keyed.sort((a, b) => a.order - b.order).map(({ item }) => item);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** Mulberry32. */
  private below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}
