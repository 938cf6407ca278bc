import type { ErrorCode } from "../errors.ts";
import type { WriteFigures } from "../store/store.ts";
import type { BusReaderData } from "./bus-reader.ts";
import type { IndexerStats } from "./indexer.ts";
import type { StoreWriterData } from "./open-store-writer.ts";

/** What the index worker is started with. */
export interface IndexWorkerData {
  readonly dataDir: string;
  readonly bus: BusReaderData;
  readonly store: StoreWriterData;
  readonly transactionKeys: readonly string[];
  readonly retentionDays: number;
}

/** What it tells the main thread. */
export type IndexWorkerNews =
  | { readonly kind: "ready" }
  | {
      readonly kind: "stats";
      readonly stats: IndexerStats;
      /** Of a store that is written over the network. */
      readonly writes: WriteFigures | undefined;
    }
  /** Why the bus cannot be read now; undefined once it can. */
  | { readonly kind: "bus"; readonly trouble: string | undefined }
  /** One line for the log. */
  | { readonly kind: "report"; readonly line: string }
  /** The last thing it says. */
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };

/** What it is told. */
export interface IndexWorkerOrder {
  readonly kind: "stop";
}
