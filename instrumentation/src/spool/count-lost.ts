import { countDropped, counts } from "../stats.ts";
import type { Batch } from "./outbox.ts";

type Owned = Pick<Batch, "signal" | "isAdopted">;

/*
 * A run's own figures must add up to what it made. What it delivers or loses of others is counted
 * apart; the transactions that lost records are incomplete in either case, and kept together.
 */

export function countDelivered(batch: Owned, records: number): void {
  if (batch.isAdopted) counts.spool.adoptedDelivered += records;
  else counts[batch.signal].delivered += records;
}

/** Records that will never arrive. */
export function countLost(batch: Owned, records: number, ids: Iterable<string>): void {
  if (batch.isAdopted) counts.spool.adoptedDropped += records;
  countDropped(batch.signal, batch.isAdopted ? 0 : records, ids);
}

/** Records that the collector refused for good. */
export function countRefused(batch: Owned, records: number, ids: Iterable<string>): void {
  if (batch.isAdopted) counts.spool.adoptedDropped += records;
  else counts[batch.signal].refused += records;
  countDropped(batch.signal, 0, ids);
}
