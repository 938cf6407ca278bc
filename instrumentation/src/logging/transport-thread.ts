import { isMainThread, workerData } from "node:worker_threads";

/**
 * Whether this thread only carries a logger's lines away (thread-stream's worker, in which pino's
 * transports run). It inherits `--import`, but its lines were records before they came here, and
 * what it prints would be each line's second record.
 */
export function isTransportThread(): boolean {
  if (isMainThread || typeof workerData !== "object" || workerData === null) return false;
  const { dataBuf, stateBuf } = workerData as Readonly<Record<string, unknown>>;
  return dataBuf instanceof SharedArrayBuffer && stateBuf instanceof SharedArrayBuffer;
}
