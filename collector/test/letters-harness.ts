/** A collector's bus, indexer, store and query API in one thread, for tests of dead letters. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import { expect, vi } from "vitest";
import type { MessageHeaders, OutgoingMessage, Topic } from "../src/bus/bus.ts";
import { EmbeddedBus } from "../src/bus/embedded-bus.ts";
import { Indexer } from "../src/indexer/indexer.ts";
import { LogTails } from "../src/query/log-tails.ts";
import { createApp, QueryServer, type QueryServerParts } from "../src/query/query-server.ts";
import { openEmbeddedStoreReader } from "../src/store/embedded/embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "../src/store/embedded/embedded-store-writer.ts";
import type { StoreReader, StoreWriter } from "../src/store/store.ts";

const RECORD_BYTES_MAX = 4096;

export const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

export interface AskOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class LettersHarness {
  readonly bus: EmbeddedBus;
  readonly reader: StoreReader;
  readonly writer: StoreWriter;
  readonly faults: Error[] = [];
  /** Every message that the query API has sent. */
  readonly sent: OutgoingMessage[] = [];
  /** Rejects what it is given, where a test sets it. */
  publishFault: (message: OutgoingMessage) => Error | undefined = () => undefined;
  config: QueryServerParts["config"] = {
    ...{ host: "127.0.0.1", port: 0, queryTokens: [], adminTokens: [], tls: undefined },
  };
  maxMessageBytes: number | undefined;
  readonly #dir: string;
  readonly #indexer: Indexer;
  #server: QueryServer | undefined;

  static async open(): Promise<LettersHarness> {
    const dir = mkdtempSync(join(tmpdir(), "clew-letters-"));
    const bus = await EmbeddedBus.open({ dir: join(dir, "bus"), maxInFlightBytes: 2 ** 26, nowNs });
    const writer = openEmbeddedStoreWriter({
      dir: join(dir, "store"),
      recordBytesMax: RECORD_BYTES_MAX,
    });
    const indexer = new Indexer({
      consumer: await bus.openConsumer(new Map()),
      store: writer,
      transactionKeys: ["clew.transaction.id", "transaction_id"],
      nowNs,
      nowMs: () => performance.now(),
      random: Math.random,
      wait: (_ms, signal) =>
        new Promise((resolve, reject) => {
          setImmediate(() => (signal.aborted ? reject(new Error("aborted")) : resolve(undefined)));
        }),
      onProgress: () => undefined,
    });
    return new LettersHarness({ dir, bus, writer, indexer });
  }

  private constructor(parts: {
    readonly dir: string;
    readonly bus: EmbeddedBus;
    readonly writer: StoreWriter;
    readonly indexer: Indexer;
  }) {
    this.#dir = parts.dir;
    this.bus = parts.bus;
    this.writer = parts.writer;
    this.reader = openEmbeddedStoreReader({ dir: join(parts.dir, "store") });
    this.#indexer = parts.indexer;
    this.#indexer.run().catch((error: Error) => this.faults.push(error));
  }

  async publish(topic: Topic, value: Buffer, headers: Partial<MessageHeaders> = {}): Promise<void> {
    const own = { requestId: "request", part: 0, records: 1, receivedNs: nowNs(), repeat: false };
    await this.bus.publish({ topic, headers: { ...own, ...headers }, value });
    await this.settled();
  }

  /** Until everything published is in the store. */
  async settled(): Promise<void> {
    await vi.waitFor(async () => expect((await this.bus.lag()).messages).toBe(0), 20_000);
  }

  async get(path: string, options: AskOptions = {}): Promise<Response> {
    return this.#app().request(`http://127.0.0.1/api/v1${path}`, { headers: headersOf(options) });
  }

  /** As JSON, and settled: what was sent is in the store afterwards. */
  async post(path: string, body: unknown, options: AskOptions = {}): Promise<Response> {
    const headers = { "content-type": "application/json", ...headersOf(options) };
    const response = await this.send({ method: "POST", path, body, headers });
    await this.settled();
    return response;
  }

  async send(request: {
    readonly method: string;
    readonly path: string;
    readonly body: unknown;
    readonly headers?: Record<string, string>;
  }): Promise<Response> {
    const { method, path, body, headers = headersOf({}) } = request;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.#app().request(`http://127.0.0.1/api/v1${path}`, { method, headers, body: text });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    await this.#indexer.stop();
    await this.bus.stop();
    await this.writer.stop();
    await this.reader.stop();
    rmSync(this.#dir, { recursive: true, force: true });
    expect(this.faults).toEqual([]);
  }

  /** Serves what `get` and `post` answer on a port of loopback; answers its URL. */
  async listen(): Promise<string> {
    this.#server ??= new QueryServer(this.#parts());
    const { port } = await this.#server.start();
    return `http://127.0.0.1:${port}`;
  }

  #app(): Hono {
    const parts = this.#parts();
    return createApp(parts, new LogTails(parts));
  }

  #parts(): QueryServerParts {
    return {
      ...{ config: this.config, reader: this.reader, nowNs },
      news: { onStored: () => () => undefined },
      targets: { list: async () => [] },
      metrics: { contentType: "text/plain", metrics: async () => "" },
      busLag: () => this.bus.lag(),
      letterBus: {
        maxMessageBytes: this.maxMessageBytes ?? this.bus.maxMessageBytes,
        keepsMetrics: this.bus.keepsMetrics,
        publish: (message) => this.#publish(message),
      },
      parts: [],
      pageDir: join(this.#dir, "no-page"),
      onFault: (error) => this.faults.push(error),
    };
  }

  async #publish(message: OutgoingMessage): Promise<unknown> {
    const fault = this.publishFault(message);
    if (fault !== undefined) throw fault;
    this.sent.push(message);
    return this.bus.publish(message);
  }
}

function headersOf({ token, headers }: AskOptions): Record<string, string> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return { host: "127.0.0.1", ...authorization, ...headers };
}
