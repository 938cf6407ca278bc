import { Pool } from "undici";
import { ClewError } from "../../errors.ts";
import type { ElasticsearchConnection } from "./elasticsearch-config.ts";
import { toElasticsearchError } from "./elasticsearch-errors.ts";

/** As many bulk requests may be in flight, and two more for what is asked between. */
const CONNECTIONS_MAX = 10;
const KEEP_ALIVE_MS = 30_000;
/** Answers name each document; a request has some thousands. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

export interface BulkRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** With its parameters, after the URL's own path. */
  readonly path: string;
  readonly body?: Uint8Array;
}

export interface BulkAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** No answer came: what was asked may have been done, or be done later. */
export class NoAnswer extends ClewError {}

/**
 * Plain requests over connections that are kept: nothing is retried, parsed or copied here, for one
 * of them carries megabytes.
 */
export class BulkClient {
  readonly #pools: readonly Pool[];
  readonly #paths: readonly string[];
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #abort = new AbortController();
  #current = 0;

  constructor({ urls, headers, ca, connectTimeoutMs, requestTimeoutMs }: ElasticsearchConnection) {
    const addresses = urls.map((url) => new URL(url));
    const connect = { timeout: connectTimeoutMs, ...(ca !== undefined && { ca }) };
    this.#pools = addresses.map(
      ({ origin }) =>
        new Pool(origin, {
          connections: CONNECTIONS_MAX,
          keepAliveTimeout: KEEP_ALIVE_MS,
          headersTimeout: requestTimeoutMs,
          bodyTimeout: requestTimeoutMs,
          maxResponseSize: ANSWER_BYTES_MAX,
          connect,
        }),
    );
    this.#paths = addresses.map(({ pathname }) => pathname.replace(/\/$/, ""));
    this.#headers = { ...headers, "content-type": "application/json" };
    this.#timeoutMs = requestTimeoutMs;
  }

  /**
   * @throws NoAnswer, STORE_UNAVAILABLE, where none came in time; ClewError STORE_REFUSED where
   * there is no TLS connection that can be trusted, STORE_STOPPED.
   */
  async request({ method, path, body }: BulkRequest): Promise<BulkAnswer> {
    const at = this.#current;
    const pool = this.#pools[at];
    if (pool === undefined) throw new ClewError("INTERNAL", "cannot ask Elasticsearch: no URL");
    try {
      const answer = await pool.request({
        method,
        path: `${this.#paths[at]}${path}`,
        headers: this.#headers,
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(this.#timeoutMs)]),
        ...(body !== undefined && { body }),
      });
      return { status: answer.statusCode, body: Buffer.from(await answer.body.arrayBuffer()) };
    } catch (cause) {
      if (this.#abort.signal.aborted) {
        throw new ClewError("STORE_STOPPED", "cannot write: the store stopped", { cause });
      }
      // The next request goes to the next address; which of them works is soon found.
      if (this.#current === at) this.#current = (at + 1) % this.#pools.length;
      const error = toElasticsearchError(cause, "write to Elasticsearch");
      if (error.code !== "STORE_UNAVAILABLE") throw error;
      throw new NoAnswer(error.code, error.message, { cause });
    }
  }

  /** What is under way is given up. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }
}
