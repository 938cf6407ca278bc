/** Dead letters as day files of version 2 and before held them. */
import type { DatabaseSync } from "node:sqlite";

/** Takes today's tables away, which must be empty for the file to be what it was. */
export function layOutOldDeadLetters(db: DatabaseSync): void {
  for (const table of ["originals", "refusals", "acts"]) {
    db.exec(`DROP TABLE dead_letter_${table}`);
  }
  db.exec(`
    DROP TABLE dead_letters;
    CREATE TABLE dead_letters (
      id TEXT PRIMARY KEY,
      received INTEGER NOT NULL,
      transaction_id TEXT NOT NULL,
      service TEXT NOT NULL,
      reason TEXT NOT NULL,
      detail TEXT NOT NULL,
      topic TEXT NOT NULL,
      original BLOB NOT NULL
    ) STRICT, WITHOUT ROWID`);
}
