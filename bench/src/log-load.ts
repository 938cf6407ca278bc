/** Sends log requests over a number of kept connections, each with one request in flight. */
import { Agent, type IncomingMessage, request } from "node:http";
import {
  encodeLogRequest,
  type LogRequest,
  RECORDS_PER_REQUEST,
  stampLogRequest,
} from "./log-requests.ts";

const CONNECTIONS = 8;
const DISTINCT_REQUESTS = 16;
const ANSWER_DEADLINE_MS = 60_000;
const ATTEMPTS_MAX = 100;
const RETRY_MS = 50;

export interface LoadResult {
  readonly durationMs: number;
  readonly requestBytes: number;
  /** Time until the answer of each request, ascending. */
  readonly answerMs: readonly number[];
  /** Answers of 503, each of which was tried again. */
  readonly refusals: number;
}

/**
 * Sends the requests `from` up to `to` (exclusive); every record in them is acknowledged then.
 * @throws Error at any answer but 2xx and 503.
 */
export async function sendLogs(load: {
  readonly otlpUrl: string;
  readonly runId: string;
  readonly from: number;
  readonly to: number;
}): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const pool = Array.from({ length: DISTINCT_REQUESTS }, (_, seed) =>
    encodeLogRequest({ runId: load.runId, seed, startNs: BigInt(Date.now()) * 1_000_000n }),
  );
  const answerMs: number[] = [];
  let next = load.from;
  let refusals = 0;
  const sendInTurn = async () => {
    const copies = pool.map(copyOf);
    while (next < load.to) {
      const number = next++;
      const body = stampLogRequest(copies[number % copies.length] as LogRequest, number);
      const startedMs = performance.now();
      refusals += await sendOne({ agent, url: `${load.otlpUrl}/v1/logs`, body });
      answerMs.push(performance.now() - startedMs);
    }
  };
  const startedMs = performance.now();
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, sendInTurn));
  } finally {
    agent.destroy();
  }
  return {
    durationMs: performance.now() - startedMs,
    requestBytes: pool[0]?.bytes.length ?? 0,
    answerMs: answerMs.toSorted((a, b) => a - b),
    refusals,
  };
}

export function requestsFor(records: number): number {
  return Math.ceil(records / RECORDS_PER_REQUEST);
}

interface Sending {
  readonly agent: Agent;
  readonly url: string;
  readonly body: Buffer;
}

/** Answers how often it was refused before. */
async function sendOne(sending: Sending): Promise<number> {
  for (let refusals = 0; refusals < ATTEMPTS_MAX; refusals++) {
    const status = await post(sending);
    if (status >= 200 && status < 300) return refusals;
    if (status !== 503) throw new Error(`cannot load the collector: it answered ${status}`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  throw new Error(`cannot load the collector: it refused a request ${ATTEMPTS_MAX} times`);
}

function post({ agent, url, body }: Sending): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        agent,
        method: "POST",
        headers: { "content-type": "application/x-protobuf", "content-length": body.length },
        signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
      },
      (answer: IncomingMessage) => {
        answer.resume();
        answer.once("end", () => resolve(answer.statusCode ?? 0));
        answer.once("error", reject);
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

/** A body is stamped while those of other connections are being sent. */
function copyOf({ bytes, numberOffsets }: LogRequest): LogRequest {
  return { bytes: Buffer.from(bytes), numberOffsets };
}
