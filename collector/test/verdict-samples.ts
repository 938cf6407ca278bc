import { Transactions } from "./verdict-transactions.ts";
import { type Ending, type MadeRecord, World } from "./verdict-world.ts";

/** Services and how many runs each has. */
const SERVICES: Readonly<Record<string, number>> = {
  ...{ gateway: 3, payments: 2, stock: 2 },
  ...{ shipping: 2, billing: 1, mailer: 2, invoices: 1 },
};
const ENDINGS: readonly Ending[] = ["alive", "alive", "ended", "killed"];
const SKEW_MS_MAX = 2000;
const EVERY_MS_MAX = 40;
/** Runs that are killed, or end, had been idle for a while. */
const QUIET_MS = 20_000;
/** All that could still come has. */
const LATER_MS = 120_000;

export interface PlayedWorld {
  readonly ids: readonly string[];
  readonly records: readonly MadeRecord[];
  readonly nowMs: number;
}

/** Everything that was made, and the time at which all of it has long been stored. */
export function playWorld(of: {
  readonly seed: number;
  readonly transactions: number;
  /** How long after all is over it is looked at. */
  readonly laterMs?: number;
}): PlayedWorld {
  const { seed, transactions, laterMs = LATER_MS } = of;
  const world = new World(seed);
  for (const [service, runs] of Object.entries(SERVICES)) {
    for (let i = 0; i < runs; i++) {
      const skewMs = (world.random() * 2 - 1) * SKEW_MS_MAX;
      world.addRun({ service, skewMs, ending: world.pick(ENDINGS) });
    }
  }
  const played = new Transactions(world);
  let startMs = 1000;
  while (played.ids.length < transactions) {
    played.play(startMs);
    startMs += world.random() * EVERY_MS_MAX;
  }
  played.end();
  const { lastMs } = world;
  const nowMs = lastMs + laterMs;
  return { ids: played.ids, records: world.recordsUntil(nowMs, lastMs + QUIET_MS), nowMs };
}
