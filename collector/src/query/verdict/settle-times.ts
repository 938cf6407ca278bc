/**
 * How long things take, and how far clocks differ: what a verdict waits for, and how near a gap
 * must be to concern a transaction. docs/verdict.md tells these figures to users.
 */
import { SPAN_HELD_MS_MAX } from "@clew/instrumentation/names";

export const MS_NS = 1_000_000n;
export const SECOND_NS = 1000n * MS_NS;

/** Between two reports of a run (`REPORT_INTERVAL_MS` of the instrumentation). */
export const REPORT_INTERVAL_NS = 5n * SECOND_NS;

/** A span that was not sampled waits so long for an error, and then is numbered. */
export const HELD_NS = BigInt(SPAN_HELD_MS_MAX) * MS_NS;

/**
 * What one record tells of another is missing only so long after the first was received: a span may
 * be held, and a sender that failed rests for up to ten seconds before it tries again.
 */
export const SETTLE_NS = HELD_NS + 10n * SECOND_NS + 2n * REPORT_INTERVAL_NS;

/** A run that has not reported for so long is not alive any more: six reports did not come. */
export const ALIVE_NS = 6n * REPORT_INTERVAL_NS;

/** So long a transaction waits for the next report of its runs: two intervals, and their way. */
export const REPORT_WAIT_NS = 3n * REPORT_INTERVAL_NS;

/** What lies in the bus may belong to a transaction that was at work so long before its receipt. */
export const BUS_NEAR_NS = REPORT_INTERVAL_NS;

/** Clocks of two services may differ by so much without a run's time being mistaken. */
export const CLOCK_SKEW_NS = 5n * SECOND_NS;

/**
 * A gap in a run's numbers may hold records of a transaction that was at work in that run so long
 * before or after. What a service does after its answer (timers, retries, queues in memory) is done
 * within minutes; a gap is rare and a loss in any case, so that wide costs little and narrow could
 * let a transaction pass that lost a late record.
 */
export const NEAR_NS = 600n * SECOND_NS;

/**
 * What a run that is alive has made and not sent yet is waited for no longer than this after the
 * transaction: then it is said to be missing, until it comes after all.
 */
export const UNSENT_NS = 600n * SECOND_NS;

/** A span that is waited for longer than this was probably never ended. */
export const OPEN_SPAN_NS = 3600n * SECOND_NS;

/** A service that worked on a topic so long before a message was sent is expected to take it. */
export const CONSUMER_KNOWN_NS = 900n * SECOND_NS;

if (
  SETTLE_NS < HELD_NS + 2n * REPORT_INTERVAL_NS ||
  ALIVE_NS < REPORT_WAIT_NS ||
  UNSENT_NS < SETTLE_NS
) {
  throw new Error("cannot judge transactions: what is waited for must come before it is missed");
}
