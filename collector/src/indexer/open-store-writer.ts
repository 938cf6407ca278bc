import { REPEAT_BOUNDS } from "../bus/repeat-window.ts";
import { ClewError } from "../errors.ts";
import type { ElasticsearchConnection } from "../store/elasticsearch/elasticsearch-config.ts";
import { openEmbeddedStoreWriter } from "../store/embedded/embedded-store-writer.ts";
import type { StoreWriter } from "../store/store.ts";

/** Where the index thread writes, as plain data that can be sent to it. */
export type StoreWriterData =
  | { readonly kind: "embedded"; readonly dir: string }
  | {
      readonly kind: "elasticsearch";
      readonly connection: ElasticsearchConnection;
      readonly retentionDays: number;
    };

export interface OpenedStoreWriter {
  readonly store: StoreWriter;
  /** False: the bus's committed offset is all that tells how far it was written. */
  readonly keepsPositions: boolean;
}

/**
 * Opens the writing end of the store in this thread. Elasticsearch's client is loaded where it is
 * used.
 * @throws ClewError STORE_REFUSED where only a person's act can help; where Elasticsearch is away,
 * writing waits for it.
 */
export async function openStoreWriter(
  data: StoreWriterData,
  { warn }: { readonly warn: (line: string) => void },
): Promise<OpenedStoreWriter> {
  if (data.kind === "embedded") {
    return { store: openEmbeddedStoreWriter({ dir: data.dir, warn }), keepsPositions: true };
  }
  const { openPreparedStoreWriter } = await import(
    "../store/elasticsearch/prepared-store-writer.ts"
  );
  const store = await openPreparedStoreWriter({ ...data, warn });
  assertRoomFor(store);
  return { store, keepsPositions: false };
}

/** One batch on its way to the group and one at hand, or the store waits for each commit. */
function assertRoomFor({ batch = { bytes: 0, records: 0 } }: StoreWriter): void {
  const { bytesMax } = REPEAT_BOUNDS;
  if (2 * batch.bytes <= bytesMax) return;
  const why = `two batches of ${batch.bytes} bytes do not go into a repeat window of ${bytesMax}`;
  throw new ClewError("INTERNAL", `cannot index: ${why}`);
}
