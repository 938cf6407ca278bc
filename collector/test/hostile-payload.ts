/**
 * `LogRecord` and `Span` messages such as no decent client sends: every kind of value, nested,
 * repeated, cut, out of order, under names of the worst kind. Drawn by a seed.
 */
import type { SeededRandom } from "./seeded-random.ts";

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const NAMES = [
  ...["a", "b", "http.response.status_code", "event.name", "exception.message", "", "__proto__"],
  ...[
    "a.b",
    ".",
    "..",
    "constructor",
    "0",
    "17",
    "ä",
    "中文",
    'qu"ote',
    "back\\slash",
    "new\nline",
  ],
  ...["nul\0nul", "k".repeat(300), "k".repeat(9000), "\u{1f600}", "log.record.uid"],
];
const TEXTS = [
  ...["", "plain", "GET /orders 200", "12", "-3.5e7", "1e400", "+.5", "9".repeat(41), "NaN"],
  ...[
    'say "hi"\n\t\\',
    "\0\u0001\u001f\u007f",
    "Grüße, Straße",
    "日本語",
    "\u{1f600}",
    "\ufeffbom",
  ],
  ...["x".repeat(9000), "word ".repeat(3000), "ä".repeat(8200), "y".repeat(300), "\u2028"],
];
const DOUBLES = [
  0,
  -0,
  1,
  -1.5,
  0.1,
  1e21,
  1e-7,
  Number.MAX_VALUE,
  5e-324,
  NaN,
  Infinity,
  -Infinity,
];
const INTEGERS = [
  ...[0n, 1n, -1n, 200n, 127n, 128n, 2n ** 31n, 2n ** 32n, 2n ** 49n - 1n, 2n ** 49n],
  ...[2n ** 53n - 1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)],
];
const NESTING_MAX = 70;
const ATTRIBUTES_MAX = 6;

export function hostileLog(random: SeededRandom): Buffer {
  const parts: Buffer[] = [];
  if (random.oneIn(2)) parts.push(field(3, text(random)));
  if (!random.oneIn(4)) parts.push(field(5, anyValue(random)));
  if (random.oneIn(20)) parts.push(field(5, anyValue(random)));
  if (random.oneIn(6)) parts.push(field(12, text(random)));
  return finish(random, [...parts, ...keyValues(random, 6)]);
}

export function hostileSpan(random: SeededRandom): Buffer {
  const parts: Buffer[] = [];
  if (!random.oneIn(5)) parts.push(field(5, text(random)));
  if (!random.oneIn(3)) parts.push(varint(6, BigInt(random.below(9))));
  if (random.oneIn(3)) parts.push(status(random));
  if (random.oneIn(20)) parts.push(status(random));
  if (random.oneIn(5)) parts.push(event(random));
  if (random.oneIn(5)) parts.push(link(random));
  return finish(random, [...parts, ...keyValues(random, 9)]);
}

/** A `Resource`; once in a while one that cannot be read. */
export function hostileResource(random: SeededRandom): Buffer {
  return finish(random, keyValues(random, 1));
}

/** Shuffled, with fields that nobody knows, and sometimes damaged. */
function finish(random: SeededRandom, parts: readonly Buffer[]): Buffer {
  const shuffled = [...parts, ...(random.oneIn(5) ? [unknownField(random)] : [])];
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [shuffled[at], shuffled[other]] = [shuffled[other] as Buffer, shuffled[at] as Buffer];
  }
  const bytes = Buffer.concat(shuffled);
  if (bytes.length === 0 || !random.oneIn(8)) return bytes;
  if (random.oneIn(2)) return bytes.subarray(0, random.below(bytes.length));
  bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

function keyValues(random: SeededRandom, number: number): Buffer[] {
  // Once in a while more than is usual.
  const count = random.oneIn(30) ? 60 + random.below(10) : random.below(ATTRIBUTES_MAX);
  return Array.from({ length: count }, (_, index) =>
    field(number, keyValue(random, count > ATTRIBUTES_MAX ? `many.${index}` : undefined)),
  );
}

function keyValue(random: SeededRandom, name?: string, depth = 0): Buffer {
  const key = field(1, name === undefined ? key8(random) : Buffer.from(name));
  const parts = random.oneIn(20) ? [] : [key];
  if (!random.oneIn(15)) parts.push(field(2, anyValue(random, depth)));
  if (random.oneIn(30)) parts.push(field(2, anyValue(random, depth)));
  if (random.oneIn(30)) parts.push(key);
  return Buffer.concat(random.oneIn(5) ? parts.toReversed() : parts);
}

function key8(random: SeededRandom): Buffer {
  return random.oneIn(25) ? brokenText(random) : Buffer.from(random.pick(NAMES));
}

function text(random: SeededRandom): Buffer {
  return random.oneIn(8) ? brokenText(random) : Buffer.from(random.pick(TEXTS));
}

/** No valid UTF-8: a lone byte, an overlong form, a surrogate, a sequence that is cut. */
function brokenText(random: SeededRandom): Buffer {
  const wrong = random.pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe4, 0xb8], [0x80]]);
  return Buffer.concat([Buffer.from(random.pick(TEXTS).slice(0, 40)), Buffer.from(wrong)]);
}

function anyValue(random: SeededRandom, depth = 0): Buffer {
  const kind = random.below(depth > 3 ? 8 : 13);
  if (kind === 0) return field(2, Buffer.from("ignored"));
  if (kind <= 3) return field(1, text(random));
  if (kind === 4) return varint(2, random.pick([0n, 1n, 2n, 256n, 2n ** 32n]));
  if (kind === 5) return varint(3, random.pick(INTEGERS));
  if (kind === 6) return double(4, random.pick(DOUBLES));
  if (kind === 7) return field(7, Buffer.from(random.pick(TEXTS)));
  if (kind === 8) return Buffer.concat([field(1, text(random)), varint(3, random.pick(INTEGERS))]);
  if (kind === 9) return nested(random);
  const count = random.below(4);
  const children = Array.from({ length: count }, () =>
    field(1, kind > 11 ? keyValue(random, undefined, depth + 1) : anyValue(random, depth + 1)),
  );
  return field(kind > 11 ? 6 : 5, ...children);
}

function nested(random: SeededRandom): Buffer {
  const isMap = random.oneIn(2);
  let value = field(1, text(random));
  for (let depth = random.below(NESTING_MAX); depth > 0; depth--) {
    value = isMap
      ? field(6, field(1, field(1, Buffer.from("in")), field(2, value)))
      : field(5, field(1, value));
  }
  return value;
}

function status(random: SeededRandom): Buffer {
  const parts = [field(2, text(random)), varint(3, BigInt(random.below(5)))];
  return field(15, ...parts.slice(random.below(3)));
}

function event(random: SeededRandom): Buffer {
  const time = Buffer.alloc(9, 0xff);
  time[0] = (1 << 3) | WIRE.fixed64;
  if (random.oneIn(2)) time.writeBigUInt64LE(BigInt(random.below(2 ** 31)) << 32n, 1);
  return field(11, time, field(2, text(random)), ...keyValues(random, 3));
}

function link(random: SeededRandom): Buffer {
  const ids = [field(1, Buffer.alloc(16, 0xab)), field(2, Buffer.alloc(random.below(9), 0xcd))];
  return field(13, ...ids, ...keyValues(random, 4));
}

function unknownField(random: SeededRandom): Buffer {
  const four = Buffer.alloc(5);
  four[0] = (31 << 3) | WIRE.fixed32;
  return random.pick([varint(40, 7n), field(99, Buffer.from("?")), four, varint(5, 1n)]);
}

function field(number: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([
    base128(BigInt((number << 3) | WIRE.bytes)),
    base128(BigInt(content.length)),
    content,
  ]);
}

function varint(number: number, value: bigint): Buffer {
  return Buffer.concat([base128(BigInt(number << 3)), base128(value)]);
}

function double(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (number << 3) | WIRE.fixed64;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function base128(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
