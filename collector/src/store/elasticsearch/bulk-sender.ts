import { setTimeout as delay } from "node:timers/promises";
import type { ClewError } from "../../errors.ts";
import type { BackingIndices } from "./backing-indices.ts";
import {
  type AnsweredError,
  areAllCreated,
  BULK_ANSWER_FIELDS,
  readError,
  readOutcomes,
  toStallError,
} from "./bulk-answer.ts";
import type { BulkBody } from "./bulk-body.ts";
import { type BulkAnswer, type BulkClient, NoAnswer } from "./bulk-client.ts";
import type { BulkLimits } from "./bulk-limits.ts";

const ACT = "write to Elasticsearch";
/** The server answers before we give the answer up, so that what became of a document is known. */
const SERVER_TIMEOUT = "20s";
const PARAMETERS = [`timeout=${SERVER_TIMEOUT}`, `filter_path=${BULK_ANSWER_FIELDS}`].join("&");
/** Nothing is made up where the template is missing; servers before 8.13 do not know it. */
const ONLY_STREAMS = "require_data_stream";
const RETRY_DELAY_MIN_MS = 50;
const RETRY_DELAY_MAX_MS = 2_000;
/** After so long without a document that was taken the caller is told, and tries again itself. */
const RETRY_FOR_MS = 15_000;
const DOUBLINGS_MAX = 8;
/** A request is larger than wanted by its last document, and not parted for that. */
const SPARE = 1.5;

/** What became of the documents of a batch; places are those of `BulkBody.places`. */
export interface BulkTally {
  created: number;
  existing: number;
  readonly refused: { readonly place: number; readonly status: number; readonly reason: string }[];
}

export interface BulkSenderOptions {
  readonly client: BulkClient;
  readonly limits: BulkLimits;
  readonly indices: BackingIndices;
  /** Any clock that does not go back. */
  readonly nowMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Is told what a person may want to change, in a sentence. */
  readonly warn: (sentence: string) => void;
}

/** Of one request and what is left of it. */
interface Work {
  readonly tally: BulkTally;
  /** When the last document of it was taken, or it was begun. */
  sinceMs: number;
  /** Since then. */
  waits: number;
}

/** Sends `_bulk` requests until Elasticsearch has said of each document what becomes of it. */
export class BulkSender {
  readonly #options: BulkSenderOptions;
  #onlyStreams = `&${ONLY_STREAMS}=true`;

  constructor(options: BulkSenderOptions) {
    this.#options = options;
  }

  /**
   * Resolves once every document is settled and in the tally. What is refused for a while is sent
   * again, by itself, so that the others need not wait; of what may have been written, without an
   * answer, each document is looked for first.
   * @throws ClewError where a person has to do something, or it went on for too long: some
   * documents are written then, and some are not.
   */
  async send(body: BulkBody, tally: BulkTally): Promise<void> {
    await this.#settle(body, { tally, sinceMs: this.#options.nowMs(), waits: 0 });
  }

  async #settle(body: BulkBody, work: Work, mayBeWritten = false): Promise<void> {
    let rest = body;
    let isUnsure = mayBeWritten;
    while (rest.documents > 0) {
      // Whatever took too long, or was too much at once, goes on in parts.
      if (rest.documents > 1 && rest.json.length > this.#options.limits.requestBytes * SPARE) {
        for (const half of rest.halves()) await this.#settle(half, work, isUnsure);
        return;
      }
      try {
        if (isUnsure) rest = await this.#withoutWritten(rest, work.tally);
        if (rest.documents === 0) return;
        isUnsure = true;
        const onlyStreams = this.#onlyStreams;
        const answer = await this.#post(rest);
        if (answer.status === 200) {
          ({ rest, isUnsure } = await this.#settleEach(rest, answer.body, work));
        } else {
          const error = readError(answer.status, answer.body);
          if (onlyStreams !== "" && isUnknownParameter(error)) {
            this.#onlyStreams = "";
            continue;
          }
          if (isOfTheBody(error)) return await this.#blame(rest, error, work);
          if (isPassing(error)) this.#options.limits.overloaded();
          await this.#waitOut(error, work);
          // 429 is said before anything is done; another may be a proxy's, which does not know.
          isUnsure = error.status !== 429;
        }
      } catch (thrown) {
        if (!(thrown instanceof NoAnswer)) throw thrown;
        // A server may also end the connection over a request that is too large, and say nothing.
        this.#options.limits.failed();
        await this.#wait(thrown, work);
      }
    }
  }

  async #post(body: BulkBody): Promise<BulkAnswer> {
    const { client, limits, nowMs } = this.#options;
    const bytes = body.json.length;
    await limits.acquire();
    const startedMs = nowMs();
    try {
      const path = `/${body.stream}/_bulk?${PARAMETERS}${this.#onlyStreams}`;
      const answer = await client.request({ method: "POST", path, body: body.json.view() });
      if (answer.status === 200) limits.succeeded({ bytes, tookMs: nowMs() - startedMs });
      return answer;
    } finally {
      limits.release();
    }
  }

  /** Answers what has to be sent again, and whether some of it may be written. */
  async #settleEach(
    body: BulkBody,
    answer: Buffer,
    work: Work,
  ): Promise<{ readonly rest: BulkBody; readonly isUnsure: boolean }> {
    const { tally } = work;
    const { limits, nowMs } = this.#options;
    const left: number[] = [];
    let isUnsure = false;
    let last: AnsweredError | undefined;
    if (areAllCreated(answer)) {
      tally.created += body.documents;
      work.sinceMs = nowMs();
      return { rest: body.select(left), isUnsure };
    }
    for (const [at, outcome] of readOutcomes(answer, body.documents).entries()) {
      if (outcome.kind === "created") tally.created++;
      else if (outcome.kind === "existing") tally.existing++;
      else if (outcome.kind === "refused") refuse(tally, body.places[at] ?? 0, outcome.error);
      else {
        left.push(at);
        last = outcome.error;
        isUnsure ||= outcome.kind === "unsure";
      }
    }
    if (left.length < body.documents) Object.assign(work, { sinceMs: nowMs(), waits: 0 });
    if (last !== undefined) {
      // Too many requests are in the queue of one node: fewer, and not smaller ones, help.
      limits.rejected();
      await this.#waitOut(last, work);
    }
    return { rest: body.select(left), isUnsure };
  }

  /** Down to the one document that is to blame. */
  async #blame(body: BulkBody, error: AnsweredError, work: Work): Promise<void> {
    const bytes = body.json.length;
    if (error.status === 413) {
      const { limits, warn } = this.#options;
      limits.tooLarge(bytes);
      warn(`Elasticsearch takes no ${bytes} bytes at once: requests are smaller from now on`);
    }
    if (body.documents > 1) {
      for (const half of body.halves()) await this.#settle(half, work);
      return;
    }
    refuse(work.tally, body.places[0] ?? 0, error.status === 413 ? tooLarge(bytes) : error);
  }

  async #withoutWritten(body: BulkBody, tally: BulkTally): Promise<BulkBody> {
    const written = await this.#options.indices.find(body.stream, body.ids);
    const left = body.ids.flatMap((id, at) => (written.has(id) ? [] : [at]));
    tally.existing += body.documents - left.length;
    return left.length === body.documents ? body : body.select(left);
  }

  /** @throws ClewError where it will not pass by itself. */
  async #waitOut(error: AnsweredError, work: Work): Promise<void> {
    const stall = toStallError(error, ACT);
    if (!isPassing(error)) throw stall;
    await this.#wait(stall, work);
  }

  /** @throws ClewError the one given, where it was tried for long enough. */
  async #wait(error: ClewError, work: Work): Promise<void> {
    const { nowMs, random, signal } = this.#options;
    const longest = RETRY_DELAY_MIN_MS * 2 ** Math.min(work.waits++, DOUBLINGS_MAX);
    const delayMs = Math.min(RETRY_DELAY_MAX_MS, longest) * (0.5 + random() / 2);
    if (nowMs() - work.sinceMs + delayMs > RETRY_FOR_MS) throw error;
    await delay(delayMs, undefined, { signal });
  }
}

/**
 * Some document in it is to blame: it is too large, or Elasticsearch itself cannot read it. A 400
 * that is not Elasticsearch's, or of our parameters, would be of every request.
 */
function isOfTheBody({ status, type, reason }: AnsweredError): boolean {
  return status === 413 || (status === 400 && type !== "" && !reason.includes("parameter"));
}

function isUnknownParameter({ status, reason }: AnsweredError): boolean {
  return status === 400 && reason.includes(ONLY_STREAMS);
}

function isPassing({ status }: AnsweredError): boolean {
  return status === 429 || status === 408 || status >= 500;
}

function tooLarge(bytes: number): AnsweredError {
  const reason = `${bytes} bytes: more than Elasticsearch, or a proxy before it, takes at once`;
  return { status: 413, type: "", reason };
}

function refuse(tally: BulkTally, place: number, { status, type, reason }: AnsweredError): void {
  tally.refused.push({ place, status, reason: type === "" ? reason : `${type}: ${reason}` });
}
