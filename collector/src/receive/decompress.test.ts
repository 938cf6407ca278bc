import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ClewError } from "../errors.ts";
import { type ContentEncoding, decompress } from "./decompress.ts";
import { InFlightBytes, REQUEST_OVERHEAD_BYTES } from "./in-flight-bytes.ts";

const MIB = 1024 * 1024;
const TEXT = Buffer.from("some text, ".repeat(1000));
/** Beyond what is done without a thread. */
const LARGE = Buffer.from(Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join(""));

function run(body: Buffer, encoding: ContentEncoding = "gzip", maxBytes = 4 * MIB) {
  const inFlight = new InFlightBytes(8 * MIB);
  const reservation = inFlight.open();
  reservation.grow(body.length);
  return { inFlight, output: decompress({ body, encoding, maxBytes, reservation }) };
}

describe.each([
  ["small", TEXT],
  ["large", LARGE],
])("%s bodies", (_size, text) => {
  it.each<[string, ContentEncoding, Buffer]>([
    ["identity", "identity", text],
    ["gzip", "gzip", gzipSync(text)],
    ["gzip, stored", "gzip", gzipSync(text, { level: 0 })],
    ["deflate", "deflate", deflateSync(text)],
    ["zstd", "zstd", zstdCompressSync(text)],
    ["gzip of two members", "gzip", members(text.subarray(0, 9), text.subarray(9))],
    ["gzip with an empty last member", "gzip", members(text, Buffer.alloc(0))],
    [
      "zstd of two frames",
      "zstd",
      Buffer.concat([text.subarray(0, 9), text.subarray(9)].map((part) => zstdCompressSync(part))),
    ],
  ])("%s: read, and counted while it is held", async (_name, encoding, body) => {
    const { inFlight, output } = run(Buffer.from(body), encoding);
    expect((await output).equals(text)).toBe(true);
    expect(inFlight.bytes).toBe(REQUEST_OVERHEAD_BYTES + text.length);
  });

  it.each<[string, Buffer]>([
    ["cut off", gzipSync(text).subarray(0, -1)],
    ["without its trailer", gzipSync(text).subarray(0, -8)],
    ["with a wrong length", withLength(gzipSync(text), text.length + 1)],
    ["with a length of 4 GiB", withLength(gzipSync(text), 2 ** 32 - 1)],
    ["with a length of nothing", withLength(gzipSync(text), 0)],
    ["with bytes behind it", Buffer.concat([gzipSync(text), Buffer.from("more")])],
    ["with another sum", flipped(gzipSync(text), -6)],
    ["that is none", text],
  ])("gzip %s is malformed, and nothing stays reserved", async (_name, body) => {
    const { inFlight, output } = run(Buffer.from(body));
    const error = await output.catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ClewError);
    expect(error.code).toBe("REQUEST_MALFORMED");
    expect(inFlight.bytes).toBeLessThan(REQUEST_OVERHEAD_BYTES + body.length + text.length + 1);
  });
});

describe("bombs", () => {
  const bomb = gzipSync(Buffer.alloc(64 * MIB));

  it.each([
    ["that tells its size", bomb],
    ["that tells a smaller one", withLength(bomb, MIB)],
    ["in two members", Buffer.concat([bomb, gzipSync(TEXT)])],
  ])("%s: refused within the limit", async (_name, body) => {
    await expect(run(Buffer.from(body)).output).rejects.toMatchObject({
      code: "REQUEST_TOO_LARGE",
    });
  });

  it("is refused as overload where others hold the memory", async () => {
    const inFlight = new InFlightBytes(2 * MIB);
    inFlight.open().grow(MIB);
    const body = gzipSync(LARGE);
    const reservation = inFlight.open();
    reservation.grow(body.length);
    const output = decompress({ body, encoding: "gzip", maxBytes: 64 * MIB, reservation });
    await expect(output).rejects.toMatchObject({ code: "BUS_OVERLOADED" });
  });
});

function members(...parts: Buffer[]): Buffer {
  return Buffer.concat(parts.map((part) => gzipSync(part)));
}

function withLength(zipped: Buffer, bytes: number): Buffer {
  const changed = Buffer.from(zipped);
  changed.writeUInt32LE(bytes, changed.length - 4);
  return changed;
}

function flipped(zipped: Buffer, at: number): Buffer {
  const changed = Buffer.from(zipped);
  changed.writeUInt8(changed.readUInt8(changed.length + at) ^ 0xff, changed.length + at);
  return changed;
}
