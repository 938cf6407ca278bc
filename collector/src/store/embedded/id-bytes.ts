/**
 * One id after another as bytes, in memory that is used again: SQLite copies what it is given.
 * Neighbouring records mostly share their trace, so the last id is not converted twice.
 */
export class IdBytes {
  private readonly bytes: Buffer;
  private hex = "";

  constructor(length: number) {
    this.bytes = Buffer.alloc(length);
  }

  /** Valid until the next call; null for an empty text. */
  of(hex: string): Buffer | null {
    if (hex === "") return null;
    if (hex.length !== 2 * this.bytes.length) return Buffer.from(hex, "hex");
    if (hex !== this.hex) this.bytes.write(hex, "hex");
    this.hex = hex;
    return this.bytes;
  }
}
