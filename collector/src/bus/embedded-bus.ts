import { statfs } from "node:fs/promises";
import type { MessagePort } from "node:worker_threads";
import { VARIABLE } from "../config.ts";
import { ClewError } from "../errors.ts";
import type { Bus, BusConsumer, BusLag, OutgoingMessage, Position } from "./bus.ts";
import { CommittedOffset } from "./committed-offset.ts";
import { ConsumerLink } from "./consumer-link.ts";
import { type DirectoryLock, lockDirectory } from "./directory-lock.ts";
import { EmbeddedBusConsumer } from "./embedded-bus-consumer.ts";
import { LagLedger } from "./lag-ledger.ts";
import {
  EMBEDDED_PARTITION,
  ENTRY_BYTES_MAX,
  ENTRY_HEADER_BYTES,
  REQUEST_ID_BYTES_MAX,
} from "./segment-format.ts";
import { SegmentLog } from "./segment-log.ts";
import { type Damage, describeDamage } from "./segment-reader.ts";
import { recoverSegments } from "./segment-recovery.ts";

/** A committed segment of this size is given up for a new one, so that an idle bus is small. */
const IDLE_SEGMENT_BYTES_MAX = 16 * 1024 * 1024;
/** After a full disk `check` is content once so much is free. */
const FREE_BYTES_MIN = 1024 * 1024;
/** After a fault `check` lets traffic try again. */
const FAULT_MEMORY_MS = 5000;
const DISK_FULL_CODES = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

export interface EmbeddedBusOptions {
  /** The bus's own directory: `<data dir>/bus`. */
  readonly dir: string;
  /** Bytes of values that may wait to become durable. */
  readonly maxInFlightBytes: number;
  /** Bytes that the data may take up, the bus's files and `otherBytes`; 0 or absent: no limit. */
  readonly diskLimitBytes?: number;
  /** What lies beside the bus under the same limit. */
  readonly otherBytes?: () => number;
  /** False only to see the durability tests fail. */
  readonly fsync?: boolean;
  /** Unix time. */
  readonly nowNs: () => bigint;
  /** Hears of damage and faults, one line each; standard error where absent. */
  readonly report?: (line: string) => void;
}

/** The durable queue in files of this machine (layout: segment-format.ts), for one process. */
export class EmbeddedBus implements Bus {
  readonly keepsMetrics = false;
  readonly maxMessageBytes: number;
  readonly #options: EmbeddedBusOptions;
  readonly #lock: DirectoryLock;
  readonly #committed: CommittedOffset;
  readonly #log: SegmentLog;
  readonly #ledger = new LagLedger();
  readonly #report: (line: string) => void;
  #link: ConsumerLink | undefined;
  #inFlightBytes = 0;
  #fault: { error: ClewError; atMs: number } | undefined;
  #stopping: Promise<void> | undefined;

  /**
   * Takes the directory for this process, cuts off what a crash left half written, and is ready.
   * @throws ClewError DATA_DIR_IN_USE, BUS_DISK_FULL, BUS_UNAVAILABLE
   */
  static async open(options: EmbeddedBusOptions): Promise<EmbeddedBus> {
    const lock = lockDirectory(options.dir);
    try {
      return new EmbeddedBus(options, lock);
    } catch (cause) {
      lock.release();
      throw toBusError(cause, "open the bus");
    }
  }

  private constructor(options: EmbeddedBusOptions, lock: DirectoryLock) {
    const { dir, fsync = true, report = (line: string) => console.warn(line) } = options;
    this.#options = options;
    const entryBytesMax = Math.min(
      options.maxInFlightBytes,
      ENTRY_BYTES_MAX - REQUEST_ID_BYTES_MAX,
    );
    this.maxMessageBytes = entryBytesMax - ENTRY_HEADER_BYTES;
    this.#lock = lock;
    this.#report = report;
    this.#committed = new CommittedOffset(dir);
    const recovered = recoverSegments({
      dir,
      committed: this.#committed.offset,
      ledger: this.#ledger,
      onDamage: (damage) => report(describeDamage(damage)),
    });
    this.#log = new SegmentLog({
      dir,
      fsync,
      recovered,
      onDurable: (messages) => this.#countPublished(messages),
      onFault: (cause) => this.#onFault(cause),
    });
  }

  async publish(message: OutgoingMessage): Promise<Position> {
    const bytes = message.value.length + ENTRY_HEADER_BYTES;
    this.#refuse(message, bytes);
    this.#inFlightBytes += bytes;
    try {
      const offset = await this.#log.append(message);
      this.#fault = undefined;
      return { partition: EMBEDDED_PARTITION, offset };
    } catch (cause) {
      throw toBusError(cause, "publish");
    } finally {
      this.#inFlightBytes -= bytes;
    }
  }

  openConsumer(from: ReadonlyMap<string, number>): Promise<BusConsumer> {
    const onDamage = (damage: Damage) => this.#report(describeDamage(damage));
    const { dir } = this.#options;
    return EmbeddedBusConsumer.connect({ dir, port: this.consumerPort(), from, onDamage });
  }

  /**
   * The line for a consumer in another thread: transfer it, and there call
   * `EmbeddedBusConsumer.connect`. Ends the consumer before, if there is one.
   */
  consumerPort(): MessagePort {
    if (this.#stopping !== undefined) throw stopped("open a consumer");
    this.#link?.close();
    this.#link = new ConsumerLink({
      start: (from) => this.#start(from),
      durable: () => this.#log.durable,
      commit: (offset) => this.#commit(offset),
      onFault: (cause) => this.#onFault(cause),
    });
    return this.#link.remotePort;
  }

  async lag(): Promise<BusLag> {
    return this.#ledger.lag(this.#options.nowNs());
  }

  async check(): Promise<void> {
    if (this.#stopping !== undefined) throw stopped("publish");
    const fault = this.#fault;
    if (fault === undefined) return;
    // The limit set by the user has no cause, and the system's free space says nothing about it.
    const isDiskFull = fault.error.code === "BUS_DISK_FULL" && fault.error.cause !== undefined;
    if (!isDiskFull) {
      if (this.#nowMs() - fault.atMs < FAULT_MEMORY_MS) throw fault.error;
      return;
    }
    const { bavail, bsize } = await statfs(this.#options.dir);
    if (bavail * bsize < FREE_BYTES_MIN) throw fault.error;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#log.stop();
    this.#link?.close();
    this.#committed.close();
    this.#lock.release();
  }

  #refuse({ value, headers }: OutgoingMessage, bytes: number): void {
    if (this.#stopping !== undefined) throw stopped("publish");
    const { maxInFlightBytes } = this.#options;
    if (value.length > this.maxMessageBytes) {
      const why = `${value.length} bytes are more than the bus may hold at once`;
      throw new ClewError("BUS_MESSAGE_TOO_LARGE", `cannot publish: ${why}`);
    }
    const { requestId, recordId = "" } = headers;
    if (Buffer.byteLength(requestId) + Buffer.byteLength(recordId) > REQUEST_ID_BYTES_MAX) {
      throw new ClewError("BUS_MESSAGE_TOO_LARGE", "cannot publish: the request id is too long");
    }
    if (this.#inFlightBytes + bytes > maxInFlightBytes) {
      const why = `${this.#inFlightBytes} bytes wait for the disk`;
      throw new ClewError("BUS_OVERLOADED", `cannot publish: ${why}`);
    }
    this.#keepDiskLimit(bytes);
  }

  #keepDiskLimit(bytes: number): void {
    const { diskLimitBytes = 0, otherBytes } = this.#options;
    if (diskLimitBytes === 0) return;
    const present = this.#log.diskBytes() + (otherBytes?.() ?? 0);
    if (present + this.#inFlightBytes + bytes <= diskLimitBytes) return;
    const why = `the data has reached ${VARIABLE.diskLimit} (${diskLimitBytes} bytes)`;
    const error = new ClewError("BUS_DISK_FULL", `cannot publish: ${why}`);
    this.#onFault(error);
    throw error;
  }

  #countPublished(messages: readonly OutgoingMessage[]): void {
    let end = this.#log.durable.nextOffset - messages.length;
    for (const { headers } of messages) {
      end++;
      const { records, receivedNs } = headers;
      this.#ledger.add({ end, messages: 1, records, receivedNs });
    }
    this.#link?.notify();
  }

  /**
   * Offsets beyond the end were counted in another bus, whose files are gone. The consumer then
   * begins with all that is kept, and what is published from now on lies beyond those offsets, so
   * that nothing new can be taken for something done.
   */
  async #start(from: number | undefined): Promise<number> {
    const { nextOffset } = this.#log.durable;
    const { oldestOffset } = this.#log;
    const wanted = from ?? this.#committed.offset;
    if (wanted > nextOffset) {
      this.#report(
        `the bus ends at ${nextOffset}, its consumer is at ${wanted}: reading all again`,
      );
      await this.#log.jumpTo(wanted);
      return oldestOffset;
    }
    if (wanted < oldestOffset && from !== undefined) {
      this.#report(`the bus begins at ${oldestOffset}, its consumer is at ${wanted}`);
    }
    return Math.max(wanted, oldestOffset);
  }

  #commit(offset: number): void {
    const { durable } = this.#log;
    if (offset <= this.#committed.offset || offset > durable.nextOffset) return;
    this.#ledger.commit(offset);
    try {
      this.#committed.advance(offset);
    } catch (cause) {
      this.#onFault(cause);
    }
    const isFull = this.#fault?.error.code === "BUS_DISK_FULL";
    const isIdle = offset === durable.nextOffset;
    const isAll = isIdle && (isFull || durable.bytes >= IDLE_SEGMENT_BYTES_MAX);
    this.#log.deleteBefore(offset, { isAll });
  }

  #onFault(cause: unknown): undefined {
    const error = toBusError(cause, "publish");
    // One line per kind of trouble, not one per message.
    if (this.#fault?.error.message !== error.message) this.#report(error.message);
    this.#fault = { error, atMs: this.#nowMs() };
  }

  #nowMs(): number {
    return Number(this.#options.nowNs() / 1_000_000n);
  }
}

function toBusError(cause: unknown, act: string): ClewError {
  if (cause instanceof ClewError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const kind = DISK_FULL_CODES.has(code) ? "BUS_DISK_FULL" : "BUS_UNAVAILABLE";
  return new ClewError(kind, `cannot ${act}: ${reason}`, { cause });
}

function stopped(act: string): ClewError {
  return new ClewError("BUS_STOPPED", `cannot ${act}: the bus has stopped`);
}
