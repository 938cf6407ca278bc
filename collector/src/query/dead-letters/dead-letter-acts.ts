import type { OutgoingMessage } from "../../bus/bus.ts";
import { toClewError } from "../../errors.ts";
import { encodeDeadLetterActs } from "../../indexer/dead-letter-message.ts";
import type { DeadLetterAct, StoredDeadLetter } from "../../store/dead-letter.ts";
import type { StoreReader } from "../../store/store.ts";
import { ask } from "../ask-store.ts";
import { withDeadline } from "../deadline.ts";
import type { ActRequest } from "./act-request.ts";
import { auditRequest } from "./audit-records.ts";
import { editedBytes } from "./edited-bytes.ts";
import { OUTCOME_RESULTS, type Outcome, type OutcomeResult } from "./letter-outcome.ts";
import { type ReplayBounds, replayMessage } from "./replay-message.ts";

/** What of the bus letters are sent again through. */
export interface LetterBus extends ReplayBounds {
  publish(message: OutgoingMessage): Promise<unknown>;
}

export interface DeadLetterActsOptions {
  readonly reader: Pick<StoreReader, "deadLetters" | "findDeadLetter">;
  readonly bus: LetterBus;
  /** Unix time. */
  readonly nowNs: () => bigint;
  /** A new request id each time. */
  readonly mintId: () => string;
  /** How long one request goes on with further letters; `ACT_MS_MAX` where absent. */
  readonly actMsMax?: number;
}

export interface Ordered {
  readonly request: ActRequest;
  readonly act: "replayed" | "discarded";
  /** Name of the token that was presented. */
  readonly actor: string;
}

export interface ActAnswer {
  readonly dryRun: boolean;
  readonly results: readonly Outcome[];
  readonly counts: Readonly<Record<OutcomeResult, number>>;
  /** Where a filter found more: with it in the filter, the next request goes on behind these. */
  readonly cursor: string | null;
}

/** What was done with one letter, not yet kept. */
interface Done {
  readonly outcome: Outcome;
  readonly act: DeadLetterAct | undefined;
}

/** Letters in hand at once: their originals are. */
const LETTERS_AT_ONCE = 4;
/** What was done is kept after so many. */
const LETTERS_PER_GROUP = 48;
const ACT_MS_MAX = 20_000;
const PUBLISH_MS_MAX = 10_000;
/** An act without its edited bytes takes less: an id, a reason and a name. */
const ACT_BYTES_MAX = 4096;

/**
 * Replays and discards dead letters: what is sent again is durable in the bus first, then the acts
 * and the records that tell of them. All of it may be repeated: a record is stored once by its id,
 * and whatever broke off is done again.
 */
export class DeadLetterActs {
  readonly #options: DeadLetterActsOptions;

  constructor(options: DeadLetterActsOptions) {
    this.#options = options;
  }

  /** Resolves once everything is durable that is told as done. */
  async perform(ordered: Ordered): Promise<ActAnswer> {
    const { request } = ordered;
    const { ids, cursor } = await this.#select(request);
    const endMs = performance.now() + (this.#options.actMsMax ?? ACT_MS_MAX);
    const results: Outcome[] = [];
    for (let start = 0; start < ids.length; start += LETTERS_PER_GROUP) {
      const group = ids.slice(start, start + LETTERS_PER_GROUP);
      const stop = whyStop(results, endMs);
      if (stop === undefined) results.push(...(await this.#group(group, ordered)));
      else results.push(...group.map((id) => outcomeOf({ id }, "failed", stop)));
    }
    return { dryRun: request.dryRun, results, counts: countResults(results), cursor };
  }

  async #select({ letters }: ActRequest) {
    if ("ids" in letters) return { ids: letters.ids, cursor: null };
    const { filter, limit } = letters;
    const page = await ask(this.#options.reader.deadLetters({ ...filter, limit }));
    return { ids: page.items.map(({ id }) => id), cursor: page.cursor };
  }

  async #group(ids: readonly string[], ordered: Ordered): Promise<readonly Outcome[]> {
    const all: Done[] = [];
    for (let start = 0; start < ids.length; start += LETTERS_AT_ONCE) {
      const some = ids.slice(start, start + LETTERS_AT_ONCE);
      all.push(...(await Promise.all(some.map((id) => this.#one(id, ordered)))));
    }
    if (ordered.request.dryRun) return all.map(({ outcome }) => outcome);
    return this.#keep(all, ordered);
  }

  async #one(id: string, ordered: Ordered): Promise<Done> {
    const letter = await ask(this.#options.reader.findDeadLetter(id));
    if (letter === undefined) {
      const detail = "no dead letter has this id, or its day is over";
      return { outcome: outcomeOf({ id }, "not-found", detail), act: undefined };
    }
    try {
      return ordered.act === "discarded"
        ? this.#discard(letter, ordered)
        : await this.#replay(letter, ordered);
    } catch (thrown) {
      const error = toClewError(thrown);
      const result = error.kind.isRetryable ? "failed" : "refused";
      if (error.code === "INTERNAL") throw error;
      return { outcome: outcomeOf(letter, result, error.message), act: undefined };
    }
  }

  #discard(letter: StoredDeadLetter, { request, actor }: Ordered): Done {
    if (letter.state !== "open") {
      const detail = `cannot discard it: it is ${letter.state}, and only open letters can be`;
      return { outcome: outcomeOf(letter, "refused", detail), act: undefined };
    }
    if (request.dryRun) {
      return { outcome: outcomeOf(letter, "possible", "it would be discarded"), act: undefined };
    }
    const { reason } = request;
    const atNs = this.#actTime(letter);
    const act = { act: "discarded", letterId: letter.id, atNs, actor, reason } as const;
    return { outcome: outcomeOf(letter, "done", ""), act: { ...act, edited: null } };
  }

  async #replay(letter: StoredDeadLetter, { request, actor }: Ordered): Promise<Done> {
    const { bus, nowNs, mintId } = this.#options;
    const edited = editedBytes(letter, request.edited, bus.maxMessageBytes - ACT_BYTES_MAX);
    const atNs = this.#actTime(letter);
    const replay = { edited, atNs, nowNs: nowNs(), requestId: mintId(), bounds: bus };
    const message = replayMessage(letter, replay);
    if (request.dryRun) {
      const detail = `${message.value.length} bytes would be sent to ${message.topic}`;
      return { outcome: outcomeOf(letter, "possible", detail), act: undefined };
    }
    await this.#publish(message);
    const { reason } = request;
    const act = edited === null ? ("replayed" as const) : ("edited" as const);
    const told = { act, letterId: letter.id, atNs, actor, reason, edited };
    return { outcome: outcomeOf(letter, "done", ""), act: told };
  }

  /** Later than all that is known of the letter, though another machine's clock timed that. */
  #actTime({ refusedNs, acts }: StoredDeadLetter): bigint {
    const times = [refusedNs, ...acts.map(({ atNs }) => atNs)];
    const nowNs = this.#options.nowNs();
    return times.reduce((latest, ns) => (ns >= latest ? ns + 1n : latest), nowNs);
  }

  /** What cannot be kept was not done: whoever asks again does it, and tells of it, once more. */
  async #keep(all: readonly Done[], ordered: Ordered): Promise<readonly Outcome[]> {
    const outcomes = all.map(({ outcome }) => outcome);
    try {
      await this.#publishActs(all.flatMap(({ act }) => act ?? []));
      await this.#publishAudit(outcomes, ordered);
      return outcomes;
    } catch (thrown) {
      const why = `it could not be kept that this was done: ${toClewError(thrown).message}`;
      return outcomes.map((outcome) =>
        outcome.result === "done" ? { ...outcome, result: "failed", detail: why } : outcome,
      );
    }
  }

  async #publishActs(acts: readonly DeadLetterAct[]): Promise<void> {
    const { bus, nowNs, mintId } = this.#options;
    const perMessage = Math.max(1, Math.floor(bus.maxMessageBytes / ACT_BYTES_MAX));
    for (let start = 0; start < acts.length; start += perMessage) {
      const value = encodeDeadLetterActs(acts.slice(start, start + perMessage));
      const own = { requestId: mintId(), receivedNs: nowNs() };
      const headers = { ...own, part: 0, records: 0, repeat: false };
      await this.#publish({ topic: "dead-letters", headers, value });
    }
  }

  async #publishAudit(outcomes: readonly Outcome[], { request, act, actor }: Ordered) {
    const { nowNs, mintId } = this.#options;
    const atNs = nowNs();
    const did = request.edited === undefined ? act : "edited";
    const { value, records } = auditRequest({
      ...{ act: did, actor, reason: request.reason, atNs, outcomes },
    });
    const headers = { requestId: mintId(), part: 0, records, receivedNs: atNs, repeat: false };
    await this.#publish({ topic: "logs", headers, value });
  }

  #publish(message: OutgoingMessage): Promise<unknown> {
    const deadline = { ms: PUBLISH_MS_MAX, code: "BUS_UNAVAILABLE", what: "send it" } as const;
    return withDeadline(this.#options.bus.publish(message), deadline);
  }
}

/** A bus that takes nothing now is not asked five hundred times. */
function whyStop(results: readonly Outcome[], endMs: number): string | undefined {
  const failed = results.find(({ result }) => result === "failed");
  if (failed !== undefined) return `not tried, for one before it failed: ${failed.detail}`;
  return performance.now() < endMs ? undefined : "not tried: the time of one request was over";
}

function outcomeOf(
  { id, transactionId = "" }: { readonly id: string; readonly transactionId?: string },
  result: OutcomeResult,
  detail: string,
): Outcome {
  return { id, result, detail, transactionId };
}

function countResults(results: readonly Outcome[]): ActAnswer["counts"] {
  const counts = OUTCOME_RESULTS.map((known): [OutcomeResult, number] => [
    known,
    results.filter(({ result }) => result === known).length,
  ]);
  return Object.fromEntries(counts) as Record<OutcomeResult, number>;
}
