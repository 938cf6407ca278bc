import { ClewError, toClewError } from "../../errors.ts";
import type { StoreWriter, WriteBatch, WriteFigures, WriteResult } from "../store.ts";
import { createElasticsearchClient } from "./client.ts";
import type { ElasticsearchConnection } from "./elasticsearch-config.ts";
import { openElasticsearchStoreWriter } from "./elasticsearch-store-writer.ts";
import { setUpElasticsearch } from "./set-up-elasticsearch.ts";

/** A server that hangs must not keep the collector from starting: it can receive meanwhile. */
const ANSWER_MS_MAX = 5_000;

export type RemoteStoreWriter = StoreWriter & Required<Pick<StoreWriter, "figures">>;

export interface PreparedStoreWriterOptions {
  readonly writer: RemoteStoreWriter;
  /** Makes what the store needs to have; called until it has resolved once. */
  readonly prepare: () => Promise<void>;
}

/**
 * A writer that writes nothing before its templates are there: without them Elasticsearch would
 * make indices of its own fashion, in which records get lost and nothing is found.
 */
export class PreparedStoreWriter {
  readonly batch?: NonNullable<StoreWriter["batch"]>;
  readonly #writer: RemoteStoreWriter;
  readonly #prepare: () => Promise<void>;
  #preparing: Promise<void> | undefined;
  #isPrepared = false;

  constructor({ writer, prepare }: PreparedStoreWriterOptions) {
    this.#writer = writer;
    if (writer.batch !== undefined) this.batch = writer.batch;
    this.#prepare = prepare;
  }

  /** Tried again by whoever calls next, where it fails. */
  async prepare(): Promise<void> {
    if (this.#isPrepared) return;
    this.#preparing ??= this.#prepare().finally(() => {
      this.#preparing = undefined;
    });
    await this.#preparing;
    this.#isPrepared = true;
  }

  figures(): WriteFigures {
    return this.#writer.figures();
  }

  positions(): Promise<ReadonlyMap<string, number>> {
    return this.#writer.positions();
  }

  async write(batch: WriteBatch): Promise<WriteResult> {
    await this.prepare();
    return this.#writer.write(batch);
  }

  /** Nothing expires in a store that nobody has reached yet. */
  async expire(firstKeptDay: string): Promise<readonly string[]> {
    return this.#isPrepared ? this.#writer.expire(firstKeptDay) : [];
  }

  stop(): Promise<void> {
    return this.#writer.stop();
  }
}

/**
 * Opens the writer and has the templates installed.
 * @throws ClewError STORE_REFUSED where only a person's act can help. While Elasticsearch is away
 * each `write` rejects with STORE_UNAVAILABLE.
 */
export async function openPreparedStoreWriter(options: {
  readonly connection: ElasticsearchConnection;
  readonly retentionDays: number;
  readonly warn: (line: string) => void;
}): Promise<StoreWriter> {
  const { connection, retentionDays, warn } = options;
  const prepare = async () => {
    const client = createElasticsearchClient({ ...connection, requestTimeoutMs: ANSWER_MS_MAX });
    try {
      await setUpElasticsearch({ client, retentionDays, warn });
    } finally {
      await client.close();
    }
  };
  const writer = openElasticsearchStoreWriter({ connection, warn });
  const prepared = new PreparedStoreWriter({ writer, prepare });
  try {
    await prepared.prepare();
  } catch (thrown) {
    const error = toClewError(thrown);
    if (error.code === "STORE_REFUSED") {
      await writer.stop();
      throw new ClewError(error.code, error.message, { cause: error });
    }
    warn(error.message);
  }
  return prepared;
}
