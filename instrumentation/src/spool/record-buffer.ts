import type { ScopeRun } from "../otlp/otlp-request.ts";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import type { Scope } from "../tracing/recorded-span.ts";

const WRITER_BYTES_START = 16 * 1024;
const WRITER_BYTES_KEPT = 2 * 1024 * 1024;

/** The records of one signal that are being collected, encoded one behind the other. */
export class RecordBuffer {
  records = 0;
  isUrgent = false;
  /** When its first record came. */
  openedAtMs = 0;
  scopes: ScopeRun[] = [];
  #writer = new ProtobufWriter(WRITER_BYTES_START);
  /** Where the record being written began. */
  #mark = 0;

  open(scope: Scope): ProtobufWriter {
    const writer = this.#writer;
    this.#mark = writer.position;
    const last = this.scopes[this.scopes.length - 1];
    if (last?.scope !== scope) this.scopes.push({ scope, start: this.#mark });
    return writer;
  }

  rollback(): void {
    this.#writer.position = this.#mark;
    const last = this.scopes[this.scopes.length - 1];
    if (last?.start === this.#mark) this.scopes.pop();
  }

  get bytes(): number {
    return this.#writer.position;
  }

  /** A view, good until the next `open` or `clear`. */
  get content(): Buffer {
    return this.#writer.buffer.subarray(0, this.#writer.position);
  }

  clear(): void {
    this.records = 0;
    this.isUrgent = false;
    this.scopes = [];
    // One enormous record must not keep its memory for the rest of the process.
    if (this.#writer.buffer.length > WRITER_BYTES_KEPT) {
      this.#writer = new ProtobufWriter(WRITER_BYTES_START);
    } else {
      this.#writer.position = 0;
    }
  }
}
