/** Asks the query API as a client does: over HTTP, one question after the other. */
import { Agent, get } from "node:http";
import {
  RECORDS_PER_TRANSACTION,
  TRANSACTIONS_PER_REQUEST,
  transactionId,
} from "./log-requests.ts";
import { seededRandom } from "./seeded-random.ts";

const LOOKUPS = 1000;
const LOOKUP_SEED = 7;
const WARM_UP_LOOKUPS = 20;
const ANSWER_DEADLINE_MS = 30_000;
/** Requests are sent side by side, so the last to be published is one of the last few. */
const LAST_REQUESTS = 16;
const SEARCHABLE_DEADLINE_MS = 1_200_000;
const POLL_MS = 50;

interface Stored {
  readonly queryUrl: string;
  readonly runId: string;
  /** Requests that are acknowledged. */
  readonly requests: number;
}

/** Milliseconds of the transaction view for random stored transactions, ascending. */
export async function timeLookups({ queryUrl, runId, requests }: Stored): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const random = seededRandom(LOOKUP_SEED);
  const answerMs: number[] = [];
  try {
    for (let lookup = -WARM_UP_LOOKUPS; lookup < LOOKUPS; lookup++) {
      const id = transactionId(runId, random.whole(requests * TRANSACTIONS_PER_REQUEST));
      const startedMs = performance.now();
      const logs = await countLogs({ agent, queryUrl, id });
      if (lookup >= 0) answerMs.push(performance.now() - startedMs);
      if (logs !== RECORDS_PER_TRANSACTION) {
        throw new Error(`cannot trust the lookup of ${id}: it found ${logs} logs`);
      }
    }
  } finally {
    agent.destroy();
  }
  return answerMs.toSorted((a, b) => a - b);
}

/** Resolves once each record of the last requests is found. @throws Error at the deadline. */
export async function waitUntilSearchable({ queryUrl, runId, requests }: Stored): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const endMs = performance.now() + SEARCHABLE_DEADLINE_MS;
  try {
    for (let request = Math.max(0, requests - LAST_REQUESTS); request < requests; request++) {
      const id = transactionId(runId, (request + 1) * TRANSACTIONS_PER_REQUEST - 1);
      while ((await countLogs({ agent, queryUrl, id })) !== RECORDS_PER_TRANSACTION) {
        if (performance.now() > endMs) throw new Error(`cannot find all records of ${id} in time`);
        await checkReady(agent, queryUrl);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  } finally {
    agent.destroy();
  }
}

/** A collector that cannot index would be waited for in vain. @throws Error with its own reason. */
async function checkReady(agent: Agent, queryUrl: string): Promise<void> {
  const { status, body } = await ask(agent, `${queryUrl}/readyz`);
  if (status !== 200) throw new Error(`cannot go on: the collector is not ready: ${body}`);
}

interface Question {
  readonly agent: Agent;
  readonly queryUrl: string;
  readonly id: string;
}

/** Logs and spans that the transaction view counts; 0 where the transaction is not known yet. */
export async function countRecords(question: Question): Promise<number> {
  const { logs, spans } = await countsOf(question);
  return logs + spans;
}

async function countLogs(question: Question): Promise<number> {
  return (await countsOf(question)).logs;
}

async function countsOf({ agent, queryUrl, id }: Question): Promise<{
  readonly logs: number;
  readonly spans: number;
}> {
  const { status, body } = await ask(agent, `${queryUrl}/api/v1/transactions/${id}`);
  if (status === 404) return { logs: 0, spans: 0 };
  if (status !== 200) throw new Error(`cannot look up ${id}: the answer is ${status} ${body}`);
  const view = JSON.parse(body) as { counts: { logs: number; spans: number } };
  return view.counts;
}

function ask(agent: Agent, url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_DEADLINE_MS);
    const asked = get(url, { agent, signal }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.once("end", () =>
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString() }),
      );
      answer.once("error", reject);
    });
    asked.once("error", reject);
  });
}
