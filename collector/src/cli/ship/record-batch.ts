import type { ShippedRecord } from "../../lines/logs-request.ts";
import type { Lane, Stretch } from "./lane.ts";

/** A record on its way, and what is to be remembered of it. */
export interface Outgoing {
  readonly record: ShippedRecord;
  readonly chars: number;
  /** Where it came from: undefined for what cannot be read again. */
  readonly lane?: Lane | undefined;
  /** Behind its last line. */
  readonly end: number;
  /** It may have been sent before: by a process that was killed, or by another run. */
  readonly mayRepeat: boolean;
}

export const BATCH_RECORDS_MAX = 1000;
const BATCH_CHARS_MAX = 1024 * 1024;

/** Records that are sent in one request. */
export class RecordBatch {
  readonly records: ShippedRecord[] = [];
  readonly #stretches = new Map<Lane, Stretch>();
  #chars = 0;
  #mayRepeat = false;
  #last: Stretch | undefined;

  get isEmpty(): boolean {
    return this.records.length === 0;
  }

  get isFull(): boolean {
    return this.records.length >= BATCH_RECORDS_MAX || this.#chars >= BATCH_CHARS_MAX;
  }

  get mayRepeat(): boolean {
    return this.#mayRepeat;
  }

  add({ record, chars, lane, end, mayRepeat }: Outgoing): void {
    this.records.push(record);
    this.#chars += chars;
    this.#mayRepeat ||= mayRepeat;
    if (lane !== undefined) this.#stretch(lane, end);
  }

  /** Each record is acknowledged, or refused for good. */
  acknowledge(): void {
    for (const [lane, stretch] of this.#stretches) lane.acknowledge(stretch);
  }

  #stretch(lane: Lane, end: number): void {
    if (this.#last?.lane !== lane) {
      this.#last = this.#stretches.get(lane) ?? lane.open(end);
      this.#stretches.set(lane, this.#last);
    }
    this.#last.end = end;
  }
}
