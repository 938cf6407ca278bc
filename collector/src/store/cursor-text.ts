/**
 * Cursors as they go out and come back: base64url of a JSON array, whose first element says which
 * list the cursor is of. A place is told by value and not by number, so that what is written
 * meanwhile moves nothing.
 */
import { ClewError } from "../errors.ts";

const CURSOR_CHARS_MAX = 2048;
const MAX_INT64 = 2n ** 63n - 1n;

export function encodeCursor(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

/** @throws ClewError PARAMETER_INVALID, as the others. */
export function decodeCursor(cursor: string): readonly unknown[] {
  if (cursor.length > CURSOR_CHARS_MAX) throw invalidCursor();
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch (cause) {
    throw invalidCursor({ cause });
  }
  if (!Array.isArray(values)) throw invalidCursor();
  return values;
}

export function cursorNs(value: unknown): bigint {
  if (typeof value !== "string" || !/^\d{1,19}$/.test(value)) throw invalidCursor();
  const timeNs = BigInt(value);
  if (timeNs > MAX_INT64) throw invalidCursor();
  return timeNs;
}

/** From `min` on, which is 0 where nothing else is said. */
export function cursorNumber(value: unknown, min = 0): number {
  const isNumber = typeof value === "number" && Number.isSafeInteger(value) && value >= min;
  if (!isNumber) throw invalidCursor();
  return value;
}

export function cursorText(value: unknown): string {
  if (typeof value !== "string") throw invalidCursor();
  return value;
}

export function invalidCursor(options?: ErrorOptions): ClewError {
  const why = "it is not one that this list gave";
  return new ClewError("PARAMETER_INVALID", `cannot read the cursor: ${why}`, options);
}
