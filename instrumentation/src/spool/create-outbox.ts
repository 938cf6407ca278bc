import type { Signal } from "../stats.ts";
import type { SpoolSettings } from "./config.ts";
import { DiskSpool } from "./disk-spool.ts";
import { MemoryOutbox } from "./memory-outbox.ts";
import type { Outbox } from "./outbox.ts";

/** On disk, or in memory where the operator wants it so. */
export function createOutbox(of: {
  readonly settings: SpoolSettings;
  readonly resource: Uint8Array;
  readonly service: string;
  readonly runId: string;
  readonly report: (message: string) => void;
  /** There is something to send though no record was made. Never called before this returns. */
  readonly onFound: (signal: Signal) => void;
  /** Whether this process knows where a signal goes. */
  readonly isSent: (signal: Signal) => boolean;
}): Outbox {
  const { settings, ...rest } = of;
  if (settings.directory === undefined) return new MemoryOutbox(rest);
  const { directory: root, limitBytes } = settings;
  const spool = new DiskSpool({ ...rest, root, limitBytes });
  spool.start();
  return spool;
}
