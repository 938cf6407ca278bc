import type { MessagePort } from "node:worker_threads";
import type { ErrorCode } from "../errors.ts";
import type { IndexerStats } from "./indexer.ts";

/** What the index worker is started with. */
export interface IndexWorkerData {
  readonly dataDir: string;
  /** Its line to the bus, transferred. */
  readonly busPort: MessagePort;
  readonly transactionKeys: readonly string[];
  readonly retentionDays: number;
}

/** What it tells the main thread. */
export type IndexWorkerNews =
  | { readonly kind: "ready" }
  | { readonly kind: "stats"; readonly stats: IndexerStats }
  /** One line for the log. */
  | { readonly kind: "report"; readonly line: string }
  /** The last thing it says. */
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };

/** What it is told. */
export interface IndexWorkerOrder {
  readonly kind: "stop";
}
