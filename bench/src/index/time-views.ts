/** Asks for transactions of one size as a client does: over HTTP, one after the other. */
import { Agent } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { seededRandom } from "../seeded-random.ts";
import { countRecords } from "../transaction-lookups.ts";
import type { ViewShape } from "./index-plan.ts";
import { viewTransactionId } from "./view-requests.ts";

const WARM_UP_LOOKUPS = 20;
const SEED = 7;
const FOUND_DEADLINE_MS = 300_000;
const POLL_MS = 200;

interface StoredViews {
  readonly queryUrl: string;
  readonly runId: string;
  readonly shape: ViewShape;
}

/** Milliseconds until an answer was read, ascending. @throws Error where one lacks records. */
export async function timeViews({ queryUrl, runId, shape }: StoredViews): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const random = seededRandom(SEED);
  const answerMs: number[] = [];
  try {
    for (let lookup = -WARM_UP_LOOKUPS; lookup < shape.lookups; lookup++) {
      const id = viewTransactionId(runId, shape, random.whole(shape.transactions));
      const startedMs = performance.now();
      const found = await countRecords({ agent, queryUrl, id });
      if (lookup >= 0) answerMs.push(performance.now() - startedMs);
      if (found !== shape.records) {
        throw new Error(`cannot trust the lookup of ${id}: it found ${found} records`);
      }
    }
  } finally {
    agent.destroy();
  }
  return answerMs.toSorted((a, b) => a - b);
}

/** Resolves once every transaction of this size is whole. @throws Error at the deadline. */
export async function waitUntilWhole({ queryUrl, runId, shape }: StoredViews): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const endMs = performance.now() + FOUND_DEADLINE_MS;
  try {
    for (let number = 0; number < shape.transactions; number++) {
      const id = viewTransactionId(runId, shape, number);
      while ((await countRecords({ agent, queryUrl, id })) !== shape.records) {
        if (performance.now() > endMs) throw new Error(`cannot find all records of ${id} in time`);
        await wait(POLL_MS);
      }
    }
  } finally {
    agent.destroy();
  }
}
