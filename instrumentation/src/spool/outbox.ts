/**
 * The outbox: where records wait until the collector has them. In memory, or on disk (a spool).
 *
 * Promises
 * - `open` and `commit` never throw for want of room, and never wait: records are made on the path
 *   of user code.
 * - What was committed is in exactly one place: in the open batch, in a batch that waits, in one
 *   that `take` gave out, or, once removed, nowhere.
 * - The room is bounded. What has to go is the oldest that nobody is sending, and every record in
 *   it is counted, with the transaction IDs it concerned. It may be over its bound for the moment
 *   that this takes.
 * - A batch's bytes never change: sent again, it holds the same records with the same uids.
 * - `remove` and `giveBack` of a batch that is not given out change nothing.
 * - After `preserve`, what can outlive the process does, however it ends.
 *
 * Errors: only `load` may reject, where a later attempt may succeed. What cannot be kept is counted
 * in `instrumentationStats()`.
 */

import type { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import type { Signal } from "../stats.ts";
import type { Scope } from "../tracing/recorded-span.ts";

export interface Outbox {
  /**
   * The place to write one record's field into (`log_records` or `spans`). Followed by `commit` or
   * `rollback` before anything else is asked of this outbox.
   */
  open(signal: Signal, scope: Scope): ProtobufWriter;
  /** Keeps what was written since `open`; an urgent record makes its batch due at once. */
  commit(signal: Signal, urgent: boolean): void;
  /** Forgets what was written since `open`. */
  rollback(signal: Signal): void;
  /** Milliseconds until there is a batch to send: 0 now, undefined where nothing waits. */
  dueInMs(signal: Signal): number | undefined;
  /** The oldest batch, due or not, which then belongs to the caller until one of the next two. */
  take(signal: Signal): Batch | undefined;
  /** The collector has it, or has refused it for good: it is forgotten. */
  remove(batch: Batch): void;
  /** It goes back to be the first in its line. */
  giveBack(batch: Batch): void;
  /** Whether every committed record was delivered or counted as dropped. */
  readonly isEmpty: boolean;
  /** The process ends: stores what can be stored, before this returns. */
  preserve(): void;
  /** For its last moments: every batch of this run, also those given out; all are the caller's. */
  takeRest(): Batch[];
  /** The last call: what was not removed and cannot outlive the process is counted as dropped. */
  close(): Leftover;
}

/** One export request of one signal. */
export interface Batch {
  readonly signal: Signal;
  /** Of the request, where all of it can be read. */
  readonly bytes: number;
  /** Fewer after `load`, where some could not be read any more: those are counted as dropped. */
  readonly records: number;
  /** Batches of all signals are numbered as they are closed: the lowest is the oldest. */
  readonly order: number;
  /** Made by a process that is dead; its records are not of this run. */
  readonly isAdopted: boolean;
  /** How often it was sent so far, or may have been. */
  attempts: number;
  /** The request's body in pieces, to be sent one after the other; none where nothing is left. */
  load(): Promise<readonly Uint8Array[]>;
  /** The same while the process ends. */
  loadNow(): readonly Uint8Array[];
}

/** What a process leaves behind at its end, in records. */
export interface Leftover {
  readonly lost: number;
  /** On disk, for the next process to deliver. */
  readonly kept: number;
}
