/**
 * One way on which a client of the load has at most one request under way.
 *
 * - `accepted`: 2xx, or gRPC OK;
 * - `refused`: the server has too much to do and says so (429, 503; UNAVAILABLE,
 *   RESOURCE_EXHAUSTED);
 * - `broken`: the connection ended before an answer.
 */
export type Answer = "accepted" | "refused" | "broken";

export interface Lane {
  /** Calls back once, after which the next may be sent. */
  send(body: Buffer, onAnswer: (answer: Answer) => void): void;
  close(): void;
}

/** @throws Error for an answer that a sound server does not give to a sound request. */
export function refuseAnswer(answer: string): never {
  throw new Error(`cannot go on with the load: the answer is ${answer}`);
}
