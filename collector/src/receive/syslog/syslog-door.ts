import { mintUuidV7 } from "@clew/instrumentation/transaction-id";
import type { ShippedRecord } from "../../lines/logs-request.ts";
import type { SyslogCounts, SyslogTransport } from "./syslog-counts.ts";
import type { SyslogFrame } from "./syslog-frames.ts";
import type { SyslogQueue } from "./syslog-queue.ts";
import {
  findSyslogMessage,
  type SyslogOrigin,
  toContinuation,
  toSyslogRecord,
} from "./syslog-record.ts";

export interface SyslogDoorOptions {
  readonly queue: Pick<SyslogQueue, "add">;
  readonly counts: SyslogCounts;
  readonly transactionKeys: readonly string[];
  /** Unix time. */
  readonly nowNs: () => bigint;
}

/** Where messages come from: one connection, or one datagram. */
export interface SyslogSender {
  readonly transport: SyslogTransport;
  readonly peerAddress: string;
  /** The record of the last message, of which further pieces may follow. */
  last: ShippedRecord | undefined;
}

/** Makes records of frames, each with an id that stays, and hands them to the queue. */
export class SyslogDoor {
  readonly #options: SyslogDoorOptions;
  readonly #runId = mintUuidV7();
  #sequence = 0;

  constructor(options: SyslogDoorOptions) {
    this.#options = options;
  }

  take(frame: SyslogFrame, sender: SyslogSender): void {
    const { counts, queue, nowNs, transactionKeys } = this.#options;
    const uid = `${this.#runId}-${++this.#sequence}`;
    const origin = {
      uid,
      observedNs: nowNs(),
      peerAddress: sender.peerAddress,
      transactionKeys,
    };
    const record =
      frame.part > 0 && sender.last !== undefined
        ? toContinuation(sender.last, frame, origin)
        : this.#read(frame, sender, origin);
    if (record === undefined) return;
    if (frame.part === 1) counts.marked.split++;
    if (frame.isCut) counts.marked.cut++;
    queue.add(record, frame.bytes.length);
  }

  #read(frame: SyslogFrame, sender: SyslogSender, origin: SyslogOrigin): ShippedRecord | undefined {
    const message = findSyslogMessage(frame.bytes, origin.observedNs);
    if (message === undefined) return undefined;
    this.#options.counts.messages[sender.transport][message.format]++;
    const record = toSyslogRecord(message, frame, origin);
    sender.last = record;
    return record;
  }
}
