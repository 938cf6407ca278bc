import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { HEADER } from "@clew/instrumentation/names";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ShippedRecord } from "../lines/logs-request.ts";
import { RecordShipper } from "./record-shipper.ts";

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
    const { resourceLogs } = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString());
    const { logRecords } = resourceLogs[0].scopeLogs[0];
    const bodies = logRecords.map((record: { body: { stringValue: string } }) => {
      return record.body.stringValue;
    });
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

function shipper(): RecordShipper {
  return new RecordShipper({
    otlpUrl: url,
    token: "ingest-token",
    service: "orders",
    note: (text) => notes.push(text),
    signal: ending.signal,
    random: () => 0,
  });
}

function record(body: string): ShippedRecord {
  return {
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
}

async function ship(...bodies: string[]): Promise<RecordShipper> {
  const shipping = shipper();
  for (const body of bodies) await shipping.accept(record(body), body.length);
  await shipping.finish();
  return shipping;
}

test("sends what is left at the end, compressed and with its token", async () => {
  const { shipped } = await ship("a", "b");
  expect(shipped).toEqual({ acknowledged: 2, refused: 0, unsent: 0 });
  expect(received.map(({ bodies }) => bodies)).toEqual([["a", "b"]]);
  expect(received[0]?.headers).toMatchObject({
    authorization: "Bearer ingest-token",
    "content-encoding": "gzip",
  });
  expect(received[0]?.headers[HEADER.attempt]).toBeUndefined();
});

test("a line that nothing follows is not held back", async () => {
  const shipping = shipper();
  await shipping.accept(record("alone"), 5);
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
    await shipping.accept(record("a"), 1);
    await expect(shipping.finish()).rejects.toThrow(`status ${code}`);
    expect(shipping.shipped).toEqual({ acknowledged: 0, refused: 0, unsent: 1 });
    await expect(shipping.accept(record("b"), 1)).rejects.toThrow();
  },
);

test("an interruption ends the retries, and says why", async () => {
  answers = [status(503)];
  const shipping = shipper();
  await shipping.accept(record("a"), 1);
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
    for (; accepted < 10_000; accepted++) await shipping.accept(record("x"), 1);
  })();
  await vi.waitFor(() => expect(held).toHaveLength(3));
  expect(accepted).toBeLessThan(3001);
  answers = [ok];
  for (const response of held) response.end("{}");
  await feeding;
  await shipping.finish();
  expect(shipping.shipped).toEqual({ acknowledged: 10_000, refused: 0, unsent: 0 });
});
