/** The two ways to load a server: as fast as it answers, and at a rate of the client's own. */
import { quantile } from "../bench-report.ts";
import { GrpcLane, grpcMessage } from "./grpc-lane.ts";
import { HttpLane, httpRequest } from "./http-lane.ts";
import type { Answer, Lane } from "./lane.ts";
import { type BodyShape, makeBodies } from "./request-bodies.ts";

export interface LoadOrder {
  readonly port: number;
  readonly protocol: "http" | "grpc";
  readonly shape: BodyShape;
  /** Each has one request under way at a time. */
  readonly connections: number;
  readonly pace: Saturating | Paced;
}

/**
 * Each connection sends again as soon as it was answered, until so many requests were sent; a
 * client that was refused waits for a moment first, as OTLP asks for.
 */
export interface Saturating {
  readonly requests: number;
}

/**
 * By the clock, whether the server keeps up or not. Where all connections wait for an answer, a
 * request that is due is given up: it counts as `unsent`.
 */
export interface Paced {
  readonly requestsPerSecond: number;
  readonly durationMs: number;
}

export interface LoadDone {
  readonly accepted: number;
  /** Of them, those within `seconds`. */
  readonly acceptedInTime: number;
  readonly refused: number;
  readonly broken: number;
  readonly unsent: number;
  /** Until the last request was sent and answered; paced: until the last was sent. */
  readonly seconds: number;
  /** Until accepted requests were answered; NaN where there was none. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const PACE_MS = 1;
const REFUSED_PAUSE_MS = 100;
/** A server that has not answered by then never will. */
const LAST_ANSWERS_DEADLINE_MS = 30_000;
const made = new Map<string, readonly Buffer[]>();

export async function sendLoad(order: LoadOrder): Promise<LoadDone> {
  const requests = requestsOf(order);
  const lanes = Array.from({ length: order.connections }, () => openLane(order));
  try {
    const load = new Load(lanes, requests);
    return "requests" in order.pace ? await load.saturate(order.pace) : await load.pace(order.pace);
  } finally {
    for (const lane of lanes) lane.close();
  }
}

class Load {
  readonly #lanes: readonly Lane[];
  readonly #bodies: readonly Buffer[];
  readonly #answers: Record<Answer, number> = { accepted: 0, refused: 0, broken: 0 };
  readonly #acceptedMs: number[] = [];
  #sent = 0;

  constructor(lanes: readonly Lane[], bodies: readonly Buffer[]) {
    this.#lanes = lanes;
    this.#bodies = bodies;
  }

  async saturate({ requests }: Saturating): Promise<LoadDone> {
    const startedMs = performance.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    const next = (lane: Lane): void => {
      if (this.#answered === requests) resolve();
      if (this.#sent >= requests) return;
      this.#send(lane, (answer) => {
        if (answer === "accepted") next(lane);
        else setTimeout(next, REFUSED_PAUSE_MS, lane);
      });
    };
    for (const lane of this.#lanes) next(lane);
    await promise;
    const seconds = (performance.now() - startedMs) / 1000;
    return this.#done({ unsent: 0, seconds, acceptedInTime: this.#answers.accepted });
  }

  async pace({ requestsPerSecond, durationMs }: Paced): Promise<LoadDone> {
    const free = [...this.#lanes];
    const startedMs = performance.now();
    let due = 0;
    let unsent = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const elapsedMs = performance.now() - startedMs;
        const dueBy = Math.floor((Math.min(elapsedMs, durationMs) / 1000) * requestsPerSecond);
        for (; due < dueBy; due++) {
          const lane = free.pop();
          if (lane === undefined) unsent++;
          else this.#send(lane, () => free.push(lane));
        }
        if (elapsedMs < durationMs) return;
        clearInterval(timer);
        resolve();
      }, PACE_MS);
    });
    const seconds = (performance.now() - startedMs) / 1000;
    const { accepted: acceptedInTime } = this.#answers;
    await this.#lastAnswers();
    return this.#done({ unsent, seconds, acceptedInTime });
  }

  get #answered(): number {
    const { accepted, refused, broken } = this.#answers;
    return accepted + refused + broken;
  }

  #send(lane: Lane, then: (answer: Answer) => void): void {
    const body = this.#bodies[this.#sent++ % this.#bodies.length] as Buffer;
    const sentMs = performance.now();
    lane.send(body, (answer) => {
      this.#answers[answer]++;
      if (answer === "accepted") this.#acceptedMs.push(performance.now() - sentMs);
      then(answer);
    });
  }

  async #lastAnswers(): Promise<void> {
    const endMs = performance.now() + LAST_ANSWERS_DEADLINE_MS;
    while (this.#answered < this.#sent && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    }
    // What never came is as bad as a connection that ended.
    this.#answers.broken += this.#sent - this.#answered;
  }

  #done(rest: Pick<LoadDone, "unsent" | "seconds" | "acceptedInTime">): LoadDone {
    const sorted = this.#acceptedMs.toSorted((a, b) => a - b);
    const at = (q: number) => (sorted.length === 0 ? Number.NaN : quantile(sorted, q));
    return { ...this.#answers, ...rest, p50Ms: at(0.5), p99Ms: at(0.99) };
  }
}

function openLane({ port, protocol, shape }: LoadOrder): Lane {
  return protocol === "http" ? new HttpLane(port) : new GrpcLane(port, shape);
}

/** Made once in the life of the process, before the clock starts. */
function requestsOf({ protocol, shape }: LoadOrder): readonly Buffer[] {
  const key = `${protocol} ${JSON.stringify(shape)}`;
  const found = made.get(key);
  if (found) return found;
  const wrap = protocol === "http" ? httpRequest : grpcMessage;
  const requests = makeBodies(shape).map((body) => wrap(body, shape));
  made.set(key, requests);
  return requests;
}
