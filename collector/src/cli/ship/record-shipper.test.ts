import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { HEADER } from "@clew/instrumentation/names";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { decodeRequest } from "../../../test/otlp-decoder.ts";
import { VARIABLE } from "../../config.ts";
import type { ShippedRecord } from "../../lines/logs-request.ts";
import { Lane } from "./lane.ts";
import type { Outgoing } from "./record-batch.ts";
import { RecordShipper, type ShipperOptions } from "./record-shipper.ts";

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly bodies: string[];
}
type Answer = (received: Received, response: ServerResponse) => void;

const ok: Answer = (_received, response) => response.end("{}");
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_received, response) =>
    response.writeHead(code, headers).end(`{"message":"status ${code}"}`);

interface DecodedRequest {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly body: { readonly stringValue: string } }[];
    }[];
  }[];
}

function bodiesIn(request: Buffer): string[] {
  const { resourceLogs } = decodeRequest("logs", request) as object as DecodedRequest;
  const records = resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap((it) => it.logRecords));
  return records.map(({ body }) => body.stringValue);
}

let server: Server;
let url: string;
let received: Received[];
/** One per request; the last one goes on for ever. */
let answers: Answer[];
let notes: string[];
let ending: AbortController;

beforeEach(async () => {
  received = [];
  answers = [ok];
  notes = [];
  ending = new AbortController();
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const unpack = request.headers["content-encoding"] === "gzip" ? gunzipSync : zstdDecompressSync;
    const bodies = bodiesIn(unpack(Buffer.concat(chunks)));
    const item = { headers: request.headers, bodies };
    received.push(item);
    const [answer = ok] = answers;
    if (answers.length > 1) answers.shift();
    answer(item, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  ending.abort(new Error("the test is over"));
  server.closeAllConnections();
  server.close();
});

function shipper(rest: Partial<ShipperOptions> = {}): RecordShipper {
  return new RecordShipper({
    otlpUrl: url,
    token: "ingest-token",
    service: "orders",
    note: (text) => notes.push(text),
    signal: ending.signal,
    random: () => 0,
    ...rest,
  });
}

function record(body: string, rest: Partial<Outgoing> = {}): Outgoing {
  const shipped: ShippedRecord = {
    timeNs: undefined,
    observedNs: 1n,
    severity: undefined,
    body,
    attributes: {},
    traceId: undefined,
    spanId: undefined,
    service: undefined,
    transactionId: undefined,
    uid: body,
    file: undefined,
  };
  return { record: shipped, chars: body.length, end: body.length, mayRepeat: false, ...rest };
}

async function ship(...bodies: string[]): Promise<RecordShipper> {
  const shipping = shipper();
  for (const body of bodies) await shipping.accept(record(body));
  await shipping.finish();
  return shipping;
}

test("sends what is left at the end, compressed and with its token", async () => {
  const { shipped } = await ship("a", "b");
  expect(shipped).toEqual({ acknowledged: 2, refused: 0, unsent: 0 });
  expect(received.map(({ bodies }) => bodies)).toEqual([["a", "b"]]);
  expect(received[0]?.headers).toMatchObject({
    authorization: "Bearer ingest-token",
    "content-encoding": "zstd",
    "content-type": "application/x-protobuf",
  });
  expect(received[0]?.headers[HEADER.attempt]).toBeUndefined();
});

test("a line that nothing follows is not held back", async () => {
  const shipping = shipper();
  await shipping.accept(record("alone"));
  await vi.waitFor(() => expect(shipping.shipped.acknowledged).toBe(1));
});

test("many lines become batches, each line once", async () => {
  const bodies = Array.from({ length: 5500 }, (_, i) => `line ${i}`);
  const { shipped } = await ship(...bodies);
  expect(shipped.acknowledged).toBe(5500);
  expect(received.flatMap((item) => item.bodies).toSorted()).toEqual(bodies.toSorted());
  expect(Math.max(...received.map((item) => item.bodies.length))).toBe(1000);
});

test.each([408, 429, 502, 503, 504, 500])("%i is tried again until it passes", async (code) => {
  answers = [status(code), status(code), ok];
  const { shipped } = await ship("a");
  expect(shipped).toEqual({ acknowledged: 1, refused: 0, unsent: 0 });
  expect(received.map((item) => item.headers[HEADER.attempt])).toEqual([undefined, "2", "3"]);
  expect(notes).toHaveLength(2);
  expect(notes[1]).toBe("the collector is back");
});

test("a connection that breaks in the answer, and one that nobody takes", async () => {
  answers = [(_received, response) => response.destroy(), ok];
  expect((await ship("a")).shipped.acknowledged).toBe(1);
  expect(received).toHaveLength(2);
});

test("one line that is refused does not take the others along", async () => {
  const refusing: Answer = ({ bodies }, response) => {
    if (bodies.includes("bad")) response.writeHead(400).end('{"message":"no such thing"}');
    else response.end("{}");
  };
  answers = [refusing];
  const bodies = Array.from({ length: 20 }, (_, i) => (i === 13 ? "bad" : `good ${i}`));
  const { shipped } = await ship(...bodies);
  expect(shipped).toEqual({ acknowledged: 19, refused: 1, unsent: 0 });
  expect(notes).toEqual(["a line is refused (no such thing): bad"]);
});

test("what the collector took only in part is counted", async () => {
  const partial = { partialSuccess: { rejectedLogRecords: "1", errorMessage: "too old" } };
  answers = [(_received, response) => response.end(JSON.stringify(partial))];
  const { shipped } = await ship("a", "b");
  expect(shipped).toEqual({ acknowledged: 1, refused: 1, unsent: 0 });
  expect(notes[0]).toContain("too old");
});

test.each([401, 403, 404])(
  "%i is for good: everything stops, nothing is called sent",
  async (code) => {
    answers = [status(code)];
    const shipping = shipper();
    await shipping.accept(record("a"));
    await expect(shipping.finish()).rejects.toThrow(`status ${code}`);
    expect(shipping.shipped).toEqual({ acknowledged: 0, refused: 0, unsent: 1 });
    await expect(shipping.accept(record("b"))).rejects.toThrow();
  },
);

test("an interruption ends the retries, and says why", async () => {
  answers = [status(503)];
  const shipping = shipper();
  await shipping.accept(record("a"));
  const finishing = shipping.finish();
  await vi.waitFor(() => expect(received.length).toBeGreaterThan(0));
  ending.abort(new Error("interrupted"));
  await expect(finishing).rejects.toThrow("interrupted");
  expect(shipping.shipped.unsent).toBe(1);
});

test("waits while as many batches are under way as may be", async () => {
  const held: ServerResponse[] = [];
  answers = [(_received, response) => held.push(response)];
  const shipping = shipper();
  let accepted = 0;
  const feeding = (async () => {
    for (; accepted < 10_000; accepted++) await shipping.accept(record("x"));
  })();
  await vi.waitFor(() => expect(held).toHaveLength(3));
  expect(accepted).toBeLessThan(3001);
  answers = [ok];
  for (const response of held) response.end("{}");
  await feeding;
  await shipping.finish();
  expect(shipping.shipped).toEqual({ acknowledged: 10_000, refused: 0, unsent: 0 });
});

test("a receiver that does not know zstd gets gzip", async () => {
  answers = [
    ({ headers }, response) =>
      response.writeHead(headers["content-encoding"] === "gzip" ? 200 : 415).end("{}"),
  ];
  expect((await ship("a", "b")).shipped.acknowledged).toBe(2);
  expect(received.map((item) => item.headers["content-encoding"])).toEqual(["zstd", "gzip"]);
});

test("a refused token is told with what to do", async () => {
  answers = [status(401)];
  const onFault = vi.fn();
  const shipping = shipper({ onFault });
  await shipping.accept(record("a"));
  await expect(shipping.finish()).rejects.toThrow(`give its token in ${VARIABLE.ingestTokens}`);
  expect(onFault).toHaveBeenCalledOnce();
});

test("records that may have been sent before say so at the first attempt", async () => {
  const shipping = shipper();
  await shipping.accept(record("a", { mayRepeat: true }));
  await shipping.finish();
  expect(received[0]?.headers[HEADER.attempt]).toBe("2");
});

test("a lane moves only once its batch, and all before it, are acknowledged", async () => {
  const held: ServerResponse[] = [];
  answers = [(_received, response) => held.push(response)];
  const shipping = shipper();
  const lane = new Lane({ position: 0, cuts: [] });
  for (let end = 1; end <= 2000; end++) await shipping.accept(record("x", { lane, end }));
  await vi.waitFor(() => expect(held).toHaveLength(2));
  held[1]?.end("{}");
  await vi.waitFor(() => expect(shipping.shipped.acknowledged).toBe(1000));
  expect(lane.position).toBe(0);
  held[0]?.end("{}");
  await shipping.finish();
  expect(lane.position).toBe(2000);
});

test("a refused record holds nothing back", async () => {
  answers = [status(400)];
  const shipping = shipper();
  const lane = new Lane({ position: 0, cuts: [] });
  await shipping.accept(record("bad", { lane, end: 9 }));
  await shipping.finish();
  expect(shipping.shipped.refused).toBe(1);
  expect(lane.position).toBe(9);
});

test("nothing is sent before what it rests on is durable", async () => {
  const durable = Promise.withResolvers<void>();
  const shipping = shipper({ beforeSend: () => durable.promise });
  await shipping.accept(record("a"));
  const finishing = shipping.finish();
  await new Promise(setImmediate);
  expect(received).toHaveLength(0);
  durable.resolve();
  await finishing;
  expect(received).toHaveLength(1);
});
