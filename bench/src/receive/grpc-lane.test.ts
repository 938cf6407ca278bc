import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { GrpcLane, grpcMessage } from "./grpc-lane.ts";
import type { Answer } from "./lane.ts";

const SHAPE = { records: 1, format: "protobuf", isZipped: false } as const;

it("frames a message: whether compressed, length, bytes", () => {
  expect(grpcMessage(Buffer.from("abc"), SHAPE).toString("hex")).toBe("0000000003616263");
  const zipped = grpcMessage(Buffer.from("abc"), { ...SHAPE, isZipped: true });
  expect(zipped.toString("hex")).toBe("0100000003616263");
});

it("tells by the status what became of each call", async () => {
  const statuses = ["0", "14", "8", undefined, "0"];
  const received: number[] = [];
  const server = createServer();
  server.on("stream", async (stream) => {
    let bytes = 0;
    for await (const chunk of stream) bytes += (chunk as Buffer).length;
    received.push(bytes);
    const status = statuses.shift();
    if (status === undefined) return stream.session?.destroy();
    if (status !== "0") return stream.respond({ "grpc-status": status }, { endStream: true });
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
    stream.end(Buffer.alloc(5));
  });
  const lane = new GrpcLane(await listen(server), SHAPE);
  onTestFinished(() => lane.close());
  const message = grpcMessage(Buffer.alloc(200_000), SHAPE);
  const answers: Answer[] = [];
  for (let n = 0; n < 5; n++) {
    answers.push(await new Promise<Answer>((resolve) => lane.send(message, resolve)));
  }
  expect(answers).toEqual(["accepted", "refused", "refused", "broken", "accepted"]);
  expect(received).toEqual(Array.from({ length: 5 }, () => message.length));
});

async function listen(server: Http2Server): Promise<number> {
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
