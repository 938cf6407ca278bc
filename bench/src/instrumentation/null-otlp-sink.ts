/**
 * A collector that takes everything and keeps nothing, in a process of its own: it says yes to
 * every OTLP/HTTP request and counts the records by whose path they came on, so that a subject that
 * sends none is found out.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { countRecords } from "./count-records.ts";

export interface SinkCounts {
  logs: number;
  traces: number;
}

/** `/<sender>/v1/traces`. Metrics are taken and not counted. */
const EXPORT_PATH = /^\/([^/]+)\/v1\/(logs|traces)$/;
const received: Record<string, SinkCounts> = {};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const [, sender, signal] = EXPORT_PATH.exec(request.url ?? "") ?? [];
    if (sender !== undefined && signal !== undefined) {
      const sent = Buffer.concat(chunks);
      const isZipped = request.headers["content-encoding"] === "gzip";
      received[sender] ??= { logs: 0, traces: 0 };
      received[sender][signal === "logs" ? "logs" : "traces"] += countRecords(
        isZipped ? gunzipSync(sent) : sent,
      );
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
