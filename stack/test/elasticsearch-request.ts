import { request } from "node:http";
import { request as requestTls } from "node:https";
import type { Elasticsearch } from "../backends/elasticsearch.ts";

const DEADLINE_MS = 30_000;

export interface ElasticsearchRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** One request to a server of a test, over whichever of HTTP and TLS it speaks. */
export async function requestElasticsearch(
  { url, headers, ca }: Elasticsearch,
  sent: ElasticsearchRequest,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const open = url.startsWith("https:") ? requestTls : request;
  const outgoing = open(
    new URL(sent.path, url),
    {
      method: sent.method,
      ca,
      headers: { ...headers, "content-type": "application/json" },
      signal: AbortSignal.timeout(DEADLINE_MS),
    },
    (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        const { statusCode = 0 } = response;
        if (statusCode < 300) resolve(text);
        else reject(new Error(`${sent.method} ${sent.path}: ${statusCode} ${text}`));
      });
      response.on("error", reject);
    },
  );
  outgoing.on("error", reject);
  outgoing.end(sent.body === undefined ? undefined : JSON.stringify(sent.body));
  return JSON.parse(await promise) as unknown;
}
