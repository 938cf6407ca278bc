import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { findAnswer, HttpLane, httpRequest } from "./http-lane.ts";
import type { Answer } from "./lane.ts";

const SHAPE = { records: 1, format: "protobuf", isZipped: true } as const;

it.for<[string, ReturnType<typeof findAnswer>]>([
  ["HTTP/1.1 200 OK\r\nContent-Le", undefined],
  ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx", undefined],
  ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxy", { isRefusal: false, isLast: false }],
  ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", { isRefusal: false, isLast: false }],
  ["HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", { isRefusal: true, isLast: false }],
  [
    "HTTP/1.1 429 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    { isRefusal: true, isLast: true },
  ],
])("reads %j", ([received, want]) => {
  expect(findAnswer(received)).toEqual(want);
});

it.for(["HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"])(
  "takes %j for a fault of the bench",
  (received) => {
    expect(() => findAnswer(received)).toThrow("cannot go on with the load: the answer is HTTP");
  },
);

it("sends one after the other on one connection, and tells what became of each", async () => {
  const seen: { encoding: string | undefined; bytes: number; port: number | undefined }[] = [];
  const statuses = [200, 503, 0, 200];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks).length;
    const { remotePort: port } = request.socket;
    seen.push({ encoding: request.headers["content-encoding"], bytes, port });
    const status = statuses.shift();
    if (status) response.writeHead(status, { "content-length": 0 }).end();
    else request.socket.destroy();
  });
  const lane = new HttpLane(await listen(server));
  onTestFinished(() => lane.close());
  const request = httpRequest(Buffer.alloc(100_000), SHAPE);
  const answers: Answer[] = [];
  for (let n = 0; n < 4; n++) {
    answers.push(await new Promise<Answer>((resolve) => lane.send(request, resolve)));
  }
  expect(answers).toEqual(["accepted", "refused", "broken", "accepted"]);
  expect(seen.map(({ encoding, bytes }) => `${encoding} ${bytes}`)).toEqual(
    Array.from({ length: 4 }, () => "gzip 100000"),
  );
  expect(new Set(seen.map(({ port }) => port)).size).toBe(2);
});

async function listen(server: Server): Promise<number> {
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
