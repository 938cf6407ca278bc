import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

const DIGITS = 20;
/** The offset in digits, a blank, its crc32 in hex, a line feed. */
const LINE_BYTES = DIGITS + 1 + 8 + 1;

/**
 * Remembers how far the consumer committed, in one line of fixed length that is written over. It is
 * not synced: what a crash takes back is delivered again, and records are stored once per id.
 */
export class CommittedOffset {
  readonly #fd: number;
  #offset = 0;

  constructor(dir: string) {
    this.#fd = openSync(join(dir, "committed"), constants.O_RDWR | constants.O_CREAT, 0o644);
    const bytes = Buffer.alloc(LINE_BYTES);
    readSync(this.#fd, bytes, 0, LINE_BYTES, 0);
    const digits = bytes.toString("latin1", 0, DIGITS);
    // A torn or missing line means 0: everything kept is delivered again.
    if (bytes.equals(line(digits))) this.#offset = Number(digits);
  }

  get offset(): number {
    return this.#offset;
  }

  /** @throws where the file cannot be written; the offset counts for this process all the same. */
  advance(offset: number): void {
    this.#offset = offset;
    writeSync(this.#fd, line(String(offset).padStart(DIGITS, "0")), 0, LINE_BYTES, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function line(digits: string): Buffer {
  const checksum = crc32(digits).toString(16).padStart(8, "0");
  return Buffer.from(`${digits} ${checksum}\n`, "latin1");
}
