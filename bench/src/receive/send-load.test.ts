import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { type LoadOrder, sendLoad } from "./send-load.ts";

const LOAD: Pick<LoadOrder, "protocol" | "shape" | "connections"> = {
  protocol: "http",
  shape: { records: 1, format: "protobuf", isZipped: false },
  connections: 4,
};

it("sends exactly so many requests, as many at a time as there are connections", async () => {
  let inFlight = 0;
  let inFlightMax = 0;
  let requests = 0;
  const port = await serve((response) => {
    requests++;
    inFlightMax = Math.max(inFlightMax, ++inFlight);
    setImmediate(() => {
      inFlight--;
      response.writeHead(200, { "content-length": 0 }).end();
    });
  });
  const done = await sendLoad({ ...LOAD, port, pace: { requests: 50 } });
  expect(done).toMatchObject({
    accepted: 50,
    acceptedInTime: 50,
    refused: 0,
    broken: 0,
    unsent: 0,
  });
  expect(requests).toBe(50);
  expect(inFlightMax).toBeLessThanOrEqual(LOAD.connections);
  expect(done.p99Ms).toBeGreaterThanOrEqual(done.p50Ms);
  expect(done.seconds).toBeGreaterThan(0);
});

it("counts what was refused apart, and asks on", async () => {
  let requests = 0;
  const port = await serve((response) => {
    response.writeHead(requests++ % 5 === 0 ? 503 : 200, { "content-length": 0 }).end();
  });
  const done = await sendLoad({ ...LOAD, port, pace: { requests: 10 } });
  expect(done).toMatchObject({ accepted: 8, refused: 2, broken: 0 });
});

it("gives up what is due while all connections wait, and what is never answered", async () => {
  let requests = 0;
  const waiting: ServerResponse[] = [];
  const port = await serve((response) => {
    requests++;
    waiting.push(response);
    // Only once all clients wait are they let go.
    if (waiting.length === LOAD.connections) {
      setTimeout(() => {
        for (const one of waiting) one.writeHead(200, { "content-length": 0 }).end();
      }, 50);
    }
  });
  const pace = { requestsPerSecond: 2000, durationMs: 20 };
  const done = await sendLoad({ ...LOAD, port, pace });
  expect(requests).toBe(LOAD.connections);
  expect(done).toMatchObject({ accepted: 4, acceptedInTime: 0, refused: 0, broken: 0 });
  expect(done.unsent).toBe(40 - LOAD.connections);
});

async function serve(answer: (response: ServerResponse) => void): Promise<number> {
  const server: Server = createServer((request, response) => {
    request.resume().once("end", () => answer(response));
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
