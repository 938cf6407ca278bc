import { openEmbeddedStoreReader } from "../src/store/embedded/embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "../src/store/embedded/embedded-store-writer.ts";
import type { StoreReader, StoreWriter } from "../src/store/store.ts";

export interface EmbeddedStore {
  readonly writer: StoreWriter;
  readonly reader: StoreReader;
}

/** Both ends of the store in `dir`. */
export async function openEmbeddedStore(dir: string): Promise<EmbeddedStore> {
  const writer = await openEmbeddedStoreWriter({ dir });
  return { writer, reader: openEmbeddedStoreReader({ dir }) };
}
