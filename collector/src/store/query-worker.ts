/** The thread that reads the embedded store, synchronously; its handle is query-thread.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { type ErrorCode, toClewError } from "../errors.ts";
import { openEmbeddedStoreReader } from "./embedded/embedded-store-reader.ts";
import type { StoreReader } from "./store.ts";

export type QueryMethod = Exclude<keyof StoreReader, "stop">;

/** From the main thread. */
export interface QueryCall {
  readonly call: number;
  readonly method: QueryMethod;
  /** What the method takes; of a kind that structured clone passes on. */
  readonly argument: unknown;
}

/** Back to it, once per call. */
export type QueryAnswer =
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly code: ErrorCode; readonly message: string };

if (parentPort !== null) {
  const port = parentPort;
  const reader = openEmbeddedStoreReader({ dir: String(workerData.dir) });
  port.on("message", async (call: QueryCall) => port.postMessage(await answer(reader, call)));
}

async function answer(reader: StoreReader, query: QueryCall): Promise<QueryAnswer> {
  const { call, method, argument } = query;
  try {
    // The other side types its argument by the very same method of the port.
    const act = reader[method].bind(reader) as (argument: unknown) => Promise<unknown>;
    return { call, result: await act(argument) };
  } catch (thrown) {
    const { code, message } = toClewError(thrown);
    return { call, code, message };
  }
}
