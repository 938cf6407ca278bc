import type { Port } from "./check-ports.ts";

/** What can be replaced by another implementation without a change elsewhere. */
export const PORTS: readonly Port[] = [
  { path: "collector/src/bus/bus.ts", interfaces: ["Bus"] },
  { path: "collector/src/store/store.ts", interfaces: ["StoreWriter", "StoreReader"] },
  { path: "instrumentation/src/spool/outbox.ts", interfaces: ["Outbox"] },
];
