/**
 * A server that takes `_bulk` as Elasticsearch does, counts the documents and keeps none, in a
 * process of its own. What else is asked is handed to the real Elasticsearch behind it, so that
 * templates, versions and health are what they are. Orders come over IPC: the address of the server
 * behind it, then any number of "counts".
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { readBulkBody } from "./bulk-body.ts";
import { BulkReply } from "./bulk-reply.ts";

export interface SinkOrder {
  readonly elasticsearchUrl: string;
}

export interface SinkCounts {
  readonly documents: number;
  /** Documents that are not one of those before. */
  readonly distinct: number;
  /** Documents that came with an id of their own. */
  readonly withId: number;
  readonly requests: number;
  /** As they came over the wire. */
  readonly bytes: number;
  /** Requests that were refused, which must be none. */
  readonly unreadable: number;
}

const BEHIND_DEADLINE_MS = 60_000;
const DECODERS: Readonly<Record<string, (body: Buffer) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  zstd: promisify(zstdDecompress),
};

const counts = { documents: 0, withId: 0, requests: 0, bytes: 0, unreadable: 0 };
const names = new Set<string>();

process.on("message", (order: SinkOrder | "counts") => {
  if (order === "counts") {
    process.send?.({ counts: { ...counts, distinct: names.size } satisfies SinkCounts });
  } else {
    listen(order.elasticsearchUrl);
  }
});
process.on("disconnect", () => process.exit());
process.send?.({ isRunning: true });

function listen(elasticsearchUrl: string): void {
  const server = createServer((asked, answer) => {
    const isBulk = URL.parse(asked.url ?? "", "http://sink")?.pathname.endsWith("/_bulk") === true;
    const served = isBulk
      ? takeBulk(asked, answer)
      : askBehind(elasticsearchUrl, { asked, answer });
    served.catch((error) => refuse(answer, error));
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    process.send?.({ url: `http://127.0.0.1:${port}` });
  });
}

async function takeBulk(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const wire = await buffer(asked);
  const decode = DECODERS[asked.headers["content-encoding"] ?? ""];
  const body = decode === undefined ? wire : await decode(wire);
  const reply = new BulkReply(asked.url ?? "");
  for (const document of readBulkBody(body)) {
    reply.add(document);
    counts.documents++;
    if (document.id !== undefined) counts.withId++;
    if (document.name !== undefined) names.add(document.name);
  }
  counts.requests++;
  counts.bytes += wire.length;
  sendJson(answer, { status: 200, text: reply.toString() });
}

async function askBehind(
  url: string,
  { asked, answer }: { asked: IncomingMessage; answer: ServerResponse },
): Promise<void> {
  const { method, headers } = asked;
  const signal = AbortSignal.timeout(BEHIND_DEADLINE_MS);
  const behind = request(url + asked.url, { method, headers, signal });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    behind.once("response", resolve).once("error", reject);
  });
  await pipeline(asked, behind);
  const real = await answered;
  answer.writeHead(real.statusCode ?? 502, real.headers);
  await pipeline(real, answer);
}

/** A body that cannot be read is a fault of the bench, which then must not go on. */
function refuse(answer: ServerResponse, error: unknown): void {
  counts.unreadable++;
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${text}\n`);
  if (answer.headersSent) answer.destroy();
  else sendJson(answer, { status: 400, text: JSON.stringify({ error: text }) });
}

function sendJson(
  answer: ServerResponse,
  { status, text }: { status: number; text: string },
): void {
  answer.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "x-elastic-product": "Elasticsearch",
  });
  answer.end(text);
}
