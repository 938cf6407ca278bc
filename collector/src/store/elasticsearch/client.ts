import { Client, SniffingTransport } from "@elastic/elasticsearch";
import type { ElasticsearchConnection } from "./elasticsearch-config.ts";

export type ElasticsearchClient = Client;

/** Of one process to one address. */
const CONNECTIONS_MAX = 32;

/**
 * Elasticsearch's own client, for everything but bulk requests: the only place that makes one. It
 * opens no connection by itself. Where an address does not answer, the next one is asked, once
 * each: what is asked with it may all be asked twice.
 */
export function createElasticsearchClient(connection: ElasticsearchConnection): Client {
  const { urls, headers, ca, connectTimeoutMs, requestTimeoutMs } = connection;
  return new Client({
    nodes: [...urls],
    headers: { ...headers },
    tls: { timeout: connectTimeoutMs, ...(ca !== undefined && { ca }) },
    agent: { connections: CONNECTIONS_MAX },
    Transport: PlainJsonTransport,
    requestTimeout: requestTimeoutMs,
    maxRetries: urls.length - 1,
  });
}

/**
 * The client names the major version that it was made for in every `Content-Type`, and a server of
 * the version before refuses that. Plain JSON is taken by both, in the server's own form; what we
 * ask is alike in 8 and 9.
 */
class PlainJsonTransport extends SniffingTransport {
  constructor(options: ConstructorParameters<typeof SniffingTransport>[0]) {
    super({
      ...options,
      retryBackoff: () => 0,
      vendoredHeaders: {
        jsonContentType: "application/json",
        ndjsonContentType: "application/x-ndjson",
        accept: "application/json,text/plain",
      },
    });
  }
}
