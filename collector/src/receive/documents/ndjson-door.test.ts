import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  keptRecords,
  type Lines,
  NDJSON,
  sendLines,
  startDocuments,
} from "../../../test/documents-harness.ts";
import { RawConnection, type RunningReceiver } from "../../../test/receiver-harness.ts";
import { ClewError } from "../../errors.ts";
import { LINE_BYTES_MAX } from "../../lines/line-splitter.ts";

const MIB = 1024 * 1024;

let running: RunningReceiver;
beforeEach(async () => {
  running = await startDocuments();
});
afterEach(async () => {
  await running.receiver.stop();
});

async function restart(...settings: Parameters<typeof startDocuments>): Promise<void> {
  await running.receiver.stop();
  running = await startDocuments(...settings);
}

/** How many the answer says were accepted. */
async function take(lines: Lines, more: Parameters<typeof sendLines>[2] = {}): Promise<number> {
  const answer = await sendLines(running.port, lines, more);
  expect(answer.status, answer.body.toString()).toBe(200);
  const { accepted, rejected } = JSON.parse(answer.body.toString());
  expect(rejected).toEqual([]);
  return accepted;
}

describe("lines", () => {
  test.each<[string, Lines, string[]]>([
    ["JSON", `{"msg":"a"}\n{"msg":"b"}\n`, ["a", "b"]],
    ["text", "first\nsecond\n", ["first", "second"]],
    ["both", `{"msg":"a"}\nplain\n`, ["a", "plain"]],
    ["no final line end", `{"msg":"a"}\nb`, ["a", "b"]],
    ["CR LF and blank lines", "a\r\n\r\n  \n\nb\r\n", ["a", "b"]],
    ["JSON that is cut off is text", `{"msg":"a\n`, [`{"msg":"a`]],
    ["a list is text", "[1,2]\n", ["[1,2]"]],
    ["bytes that are no UTF-8", Buffer.from([0x61, 0xff, 0x0a]), ["aÿ"]],
    ["nothing", "", []],
    ["blank lines only", "\n \n", []],
  ])("%s", async (_name, lines, want) => {
    expect(await take(lines)).toBe(want.length);
    expect(keptRecords(running.bus).map(({ text }) => text)).toEqual(want);
  });

  test("a line longer than a record may be becomes several", async () => {
    const line = "x".repeat(LINE_BYTES_MAX * 2 + 10);
    expect(await take(line)).toBe(3);
    const sizes = keptRecords(running.bus).map(({ payload }) => payload.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(line.length);
  });

  test("ids are minted at receipt, or the line's own", async () => {
    await take(`{"msg":"a"}\n{"msg":"b","log.record.uid":"run-1"}\n`);
    const [first, second] = keptRecords(running.bus);
    expect(first?.id).toBe(`${running.bus.messages[0]?.headers.requestId}-0-0`);
    expect(second?.id).toBe("run-1");
    expect([first?.mayRepeat, second?.mayRepeat]).toEqual([false, false]);
    await take("again\n", { headers: { "clew-attempt": "2" } });
    expect(keptRecords(running.bus)[2]?.mayRepeat).toBe(true);
  });

  test.each(["application/json", "text/plain; charset=utf-8", "application/jsonl"])(
    "content type %s",
    async (type) => {
      expect(await take("a\n", { headers: { "content-type": type } })).toBe(1);
    },
  );

  test.each<[string, (body: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])("%s", async (encoding, compress) => {
    const headers = { "content-encoding": encoding };
    expect(await take(compress(Buffer.from("a\nb\n")), { headers })).toBe(2);
  });
});

describe("parameters", () => {
  test("service names the service of every line; transactionKey comes first", async () => {
    const path = "/ingest/ndjson?service=orders&transactionKey=order.no&other=ignored";
    const lines = `{"service":"pay","order":{"no":7},"transaction_id":"b"}\norder.no=text-8 done\n`;
    await take(lines, { path });
    await take(lines, { path });
    expect(
      keptRecords(running.bus).map((record) => [record.service, record.transactionId]),
    ).toEqual([
      ["orders", "7"],
      ["orders", "text-8"],
      ["orders", "7"],
      ["orders", "text-8"],
    ]);
  });

  test("one that is too long is refused", async () => {
    const path = `/ingest/ndjson?service=${"x".repeat(300)}`;
    const answer = await sendLines(running.port, "a\n", { path });
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      status: 400,
      code: "PARAMETER_INVALID",
    });
  });
});

describe("what is refused", () => {
  const bomb = gzipSync(Buffer.alloc(64 * MIB, 0x0a));
  test.each<
    [string, Parameters<typeof sendLines>[1], Parameters<typeof sendLines>[2], number, string]
  >([
    ["too large", Buffer.alloc(MIB + 1, 0x61), {}, 413, "REQUEST_TOO_LARGE"],
    ["a bomb", bomb, { headers: { "content-encoding": "gzip" } }, 413, "REQUEST_TOO_LARGE"],
    ["broken gzip", "abc", { headers: { "content-encoding": "gzip" } }, 400, "REQUEST_MALFORMED"],
    [
      "another encoding",
      "a",
      { headers: { "content-encoding": "br" } },
      415,
      "MEDIA_TYPE_UNSUPPORTED",
    ],
    [
      "another content type",
      "a",
      { headers: { "content-type": "text/csv" } },
      415,
      "MEDIA_TYPE_UNSUPPORTED",
    ],
    ["another method", "a", { method: "PUT" }, 405, "METHOD_NOT_ALLOWED"],
    ["no token", "a", {}, 401, "UNAUTHENTICATED"],
    [
      "a token as password",
      "a",
      { headers: { authorization: `Basic ${Buffer.from("a:first-token").toString("base64")}` } },
      401,
      "UNAUTHENTICATED",
    ],
  ])("%s", async (_name, body, more, status, code) => {
    const ingestTokens = status === 401 ? [{ name: "ada", token: "first-token" }] : [];
    await restart({ maxRequestBytes: MIB, ingestTokens });
    const answer = await sendLines(running.port, body, more);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(answer.body.toString())).toMatchObject({ status, code });
    expect(running.bus.messages).toEqual([]);
  });

  test("a body that does not come in time", async () => {
    await restart({}, { bodyMs: 50 });
    const raw = new RawConnection(running.port);
    const head = `Host: a\r\nContent-Type: ${NDJSON["content-type"]}\r\nContent-Length: 10`;
    raw.write(`POST /ingest/ndjson HTTP/1.1\r\n${head}\r\n\r\n{`);
    expect(await raw.ended()).toContain("408 Request Timeout");
  });

  test("what the bus cannot keep now is told, with Retry-After", async () => {
    running.bus.fault = () => Promise.reject(new ClewError("BUS_DISK_FULL", "cannot write: full"));
    const answer = await sendLines(running.port, "a\n");
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
    expect(JSON.parse(answer.body.toString()).code).toBe("BUS_DISK_FULL");
    running.bus.fault = async () => undefined;
    expect(await take("a\n")).toBe(1);
  });

  test("no answer before the bus has the lines", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const publish = vi.fn(() => promise);
    running.bus.fault = publish;
    let isAnswered = false;
    const answer = take("a\n").finally(() => {
      isAnswered = true;
    });
    await vi.waitFor(() => expect(publish).toHaveBeenCalledOnce());
    expect(isAnswered).toBe(false);
    resolve();
    expect(await answer).toBe(1);
  });
});
