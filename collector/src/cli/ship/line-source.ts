import { findEventTime } from "../../lines/event-time.ts";
import { readLine } from "../../lines/line-record.ts";
import type { ShippedRecord } from "../../lines/logs-request.ts";
import { SHIPPED } from "../../wire-names.ts";
import type { AssembledRecord, LaneName } from "./record-assembler.ts";
import type { RecordShipper } from "./record-shipper.ts";

/** Where records came from. */
export interface RecordOrigin {
  readonly file: string | undefined;
  readonly uidOf: (record: AssembledRecord) => string;
  /** Lines that begin before this offset may have been sent before. */
  readonly repeatsBefore: number;
  /** The records' places are remembered. */
  readonly isTracked: boolean;
}

const NS_PER_MS = 1_000_000n;
const STREAMS: Readonly<Record<LaneName, Readonly<Record<string, string>> | undefined>> = {
  "": undefined,
  stdout: { [SHIPPED.logStream]: "stdout" },
  stderr: { [SHIPPED.logStream]: "stderr" },
};

/** Makes records of lines that were read, and hands them to the shipper as it has room. */
export class LineSource {
  readonly #shipper: RecordShipper;
  readonly #transactionKeys: readonly string[];
  readonly #now: () => number;

  constructor(parts: {
    shipper: RecordShipper;
    transactionKeys: readonly string[];
    /** Unix time in milliseconds. */
    now: () => number;
  }) {
    this.#shipper = parts.shipper;
    this.#transactionKeys = parts.transactionKeys;
    this.#now = parts.now;
  }

  /** @throws ClewError as `RecordShipper.accept` */
  async hand(records: readonly AssembledRecord[], origin: RecordOrigin): Promise<void> {
    const observedNs = BigInt(this.#now()) * NS_PER_MS;
    for (const record of records) {
      const shipped = this.#read(record, origin, observedNs);
      const isTaken = this.#shipper.offer({
        record: shipped,
        chars: record.text.length,
        lane: origin.isTracked ? record.lane : undefined,
        end: record.end,
        mayRepeat: record.start < origin.repeatsBefore,
      });
      if (!isTaken) await this.#shipper.room();
    }
  }

  #read(record: AssembledRecord, origin: RecordOrigin, observedNs: bigint): ShippedRecord {
    const line = readLine(record.text, this.#transactionKeys);
    const extra = STREAMS[record.stream];
    const shipped = {
      ...line,
      timeNs: line.timeNs ?? findEventTime(record.time),
      uid: origin.uidOf(record),
      observedNs,
      file: origin.file,
    };
    return extra === undefined ? shipped : { ...shipped, extra };
  }
}
