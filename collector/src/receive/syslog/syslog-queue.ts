import { setTimeout as wait } from "node:timers/promises";
import { type ClewError, toClewError } from "../../errors.ts";
import { encodeLogsRequest, type ShippedRecord } from "../../lines/logs-request.ts";
import type { Intake } from "../intake.ts";

export interface SyslogQueueOptions {
  readonly intake: Pick<Intake, "open" | "take" | "refuse">;
  /** Hears once that the bus takes nothing, once that it does again, and of what was lost. */
  readonly report: (line: string) => void;
  /** Called whenever there is room again after `isFull`. */
  readonly onRoom: () => void;
  /** Hears how many records are lost, and why. */
  readonly onLost: (reason: "refused" | "stop", records: number) => void;
}

const SCOPE = "syslog";
/** Encoding so much takes a few milliseconds, in which nothing else is received. */
const BATCH_BYTES = 512 * 1024;
const BATCH_RECORDS_MAX = 1000;
/** A message that nothing follows waits no longer for company. */
const BATCH_AGE_MS_MAX = 20;
const BATCHES_IN_FLIGHT_MAX = 4;
/** What a record takes beside its text. */
const RECORD_OVERHEAD_BYTES = 1024;
/** Beyond, connections are not read until half of it is gone. */
const FULL_BYTES = 8 * 1024 * 1024;
/** Datagrams cannot be held back: they may fill the queue further than streams. */
const OVERFULL_BYTES = 2 * FULL_BYTES;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2000;

const STOPPED = Symbol("stopped");

interface Batch {
  readonly records: ShippedRecord[];
  bytes: number;
}

/**
 * Messages between their senders and the bus, bounded in bytes. Nobody is told when a message is
 * durable, syslog has no word for it; so what is in here is kept until the bus has it, however
 * often it must be asked, and meanwhile the senders are held back. Every record has an id of its
 * own, so that what was sent to the bus twice is stored once.
 */
export class SyslogQueue {
  readonly #options: SyslogQueueOptions;
  readonly #inFlight = new Set<Promise<void>>();
  /** Ends the wait of each batch in flight; one promise for all would hold on to every batch. */
  readonly #endings = new Set<(stopped: typeof STOPPED) => void>();
  #isStopped = false;
  /** Full ones, for which there is no place in flight yet. */
  readonly #ready: Batch[] = [];
  #batch: Batch = { records: [], bytes: 0 };
  #bytes = 0;
  #wasFull = false;
  #isAway = false;
  #ageTimer: NodeJS.Timeout | undefined;

  constructor(options: SyslogQueueOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether streams must wait until they are told of room. */
  get isFull(): boolean {
    return this.#bytes >= FULL_BYTES;
  }

  /** Whether even what cannot be held back finds no room. */
  get isOverfull(): boolean {
    return this.#bytes >= OVERFULL_BYTES;
  }

  add(record: ShippedRecord, textBytes: number): void {
    const bytes = textBytes + RECORD_OVERHEAD_BYTES;
    const batch = this.#batch;
    batch.records.push(record);
    batch.bytes += bytes;
    this.#bytes += bytes;
    this.#wasFull ||= this.isFull;
    if (batch.bytes >= BATCH_BYTES || batch.records.length >= BATCH_RECORDS_MAX) this.#close();
    else this.#ageTimer ??= setTimeout(() => this.#close(), BATCH_AGE_MS_MAX);
  }

  /** Resolves once everything is durable, or at the deadline; what is not then is counted lost. */
  async stop(deadlineMs: number): Promise<void> {
    const timer = setTimeout(() => this.#giveUp(), deadlineMs);
    this.#close();
    while (this.#inFlight.size > 0) await Promise.race(this.#inFlight);
    clearTimeout(timer);
  }

  #giveUp(): void {
    this.#isStopped = true;
    for (const end of this.#endings) end(STOPPED);
  }

  /** The batch is as full, or as old, as it may be. */
  #close(): void {
    clearTimeout(this.#ageTimer);
    this.#ageTimer = undefined;
    if (this.#batch.records.length === 0) return;
    this.#ready.push(this.#batch);
    this.#batch = { records: [], bytes: 0 };
    this.#sendNext();
  }

  #sendNext(): void {
    if (this.#inFlight.size >= BATCHES_IN_FLIGHT_MAX) return;
    const batch = this.#ready.shift();
    if (batch === undefined) return;
    const ending = Promise.withResolvers<typeof STOPPED>();
    this.#endings.add(ending.resolve);
    const sent = this.#send(batch.records, ending.promise).then(() => {
      this.#endings.delete(ending.resolve);
      this.#inFlight.delete(sent);
      this.#bytes -= batch.bytes;
      this.#sendNext();
      this.#tellOfRoom();
    });
    this.#inFlight.add(sent);
  }

  #tellOfRoom(): void {
    if (!this.#wasFull || this.#bytes > FULL_BYTES / 2) return;
    this.#wasFull = false;
    this.#options.onRoom();
  }

  /** Never rejects: ends when the records are durable, or lost and counted. */
  async #send(records: ShippedRecord[], stopped: Promise<typeof STOPPED>): Promise<void> {
    const { report, onLost, intake } = this.#options;
    let retryMs = RETRY_MS_MIN;
    for (let attempt = 1; !this.#isStopped; attempt++) {
      const attempted = this.#attempt(records, attempt > 1);
      const error = await Promise.race([attempted, stopped]);
      if (error === undefined) return;
      if (error === STOPPED) break;
      intake.refuse(error);
      if (!error.kind.isRetryable) {
        report(`syslog: ${records.length} messages are lost: ${error.message}`);
        return onLost("refused", records.length);
      }
      if (!this.#isAway) report(`syslog: messages wait until they can be kept: ${error.message}`);
      this.#isAway = true;
      await Promise.race([wait(retryMs, undefined, { ref: false }), stopped]);
      retryMs = Math.min(2 * retryMs, RETRY_MS_MAX);
    }
    onLost("stop", records.length);
  }

  /** Answers what went wrong. */
  async #attempt(
    records: readonly ShippedRecord[],
    isRepeat: boolean,
  ): Promise<ClewError | undefined> {
    const { intake, report } = this.#options;
    try {
      const reservation = intake.open();
      try {
        const value = encodeLogsRequest(records, { scope: SCOPE });
        reservation.grow(value.length);
        await intake.take({ signal: "logs", value, isRepeat, reservation });
      } finally {
        reservation.release();
      }
    } catch (error) {
      return toClewError(error);
    }
    if (this.#isAway) report("syslog: messages are kept again");
    this.#isAway = false;
    return undefined;
  }
}
