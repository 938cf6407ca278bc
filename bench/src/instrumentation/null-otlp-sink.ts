/**
 * A collector that takes everything and keeps nothing, in a process of its own: it says yes to
 * every OTLP/HTTP request and counts the records, so that a subject that sends none is found out.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { countRecords } from "./count-records.ts";

const received = { logs: 0, traces: 0, metrics: 0, requests: 0, bytes: 0 };
export type SinkCounts = Readonly<typeof received>;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const sent = Buffer.concat(chunks);
    received.requests++;
    received.bytes += sent.length;
    const signal = /\/v1\/(logs|traces|metrics)$/.exec(request.url ?? "")?.[1];
    if (signal === "logs" || signal === "traces") {
      const isZipped = request.headers["content-encoding"] === "gzip";
      received[signal] += countRecords(isZipped ? gunzipSync(sent) : sent);
    } else if (signal === "metrics") {
      received.metrics++;
    }
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("message", (question) => {
  if (question === "figures") process.send?.({ figures: received });
});
process.on("disconnect", () => process.exit());
