/** The layout of one day file, and how it is opened for writing and for reading. */
import { DatabaseSync } from "node:sqlite";
import { ClewError } from "../../errors.ts";
import { patternOf } from "../letter-pattern.ts";
import { DEAD_LETTER_TABLES, DEAD_LETTERS_FROM_VERSION_2 } from "./dead-letter-schema.ts";
import { FROM_NO_LEDGER, LEDGER_TABLES } from "./ledger-schema.ts";
import { SOURCE_TABLES } from "./source-table.ts";
import { TRACE_TABLES, TRACES_FROM_RECORDS } from "./trace-table.ts";

/** Kept in `user_version`; a file with a higher one is refused, 0 is a file not yet laid out. */
export const SCHEMA_VERSION = 3;
/** Records of one zone: a record's zone is its `seq` divided by this. */
export const ZONE_RECORDS = 8192;
/** `minute` of the row that holds the figures of the whole file. */
export const WHOLE_DAY = -1;
export const MAX_INT64 = 2n ** 63n - 1n;
/** `flags` of a record. */
export const FLAG = {
  span: 1,
  error: 2,
  entry: 4,
  transactionEvent: 8,
  report: 16,
  afterSpan: 32,
} as const;

export const WRITER_CACHE_KIB = 8192;
/** Days that are only looked into for repeated records get along with little memory. */
export const IDLE_CACHE_KIB = 1024;
const READER_CACHE_KIB = 4096;
const BUSY_TIMEOUT_MS = 5000;
/** Pages of 8 KiB: the log is folded into the file every 32 MiB, not every 8 (fewer fsyncs). */
const CHECKPOINT_PAGES = 4096;
const LOG_BYTES_KEPT = 64 * 1024 * 1024;

/** The latest report of each run that reported on this day; `report` is all of it as JSON. */
const RUNS = `
  CREATE TABLE runs (run_id TEXT PRIMARY KEY, last_seen INTEGER NOT NULL, report TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE INDEX runs_by_time ON runs (last_seen, run_id);
`;

/**
 * Times are Unix nanoseconds. `transaction_key` stands for the transaction's ID: an index over
 * integers takes a fifth of one over 36 characters. A zone says between which times its records
 * lie, so that a search in order of time reads few of them and no index over time is needed.
 * The words are contentless: the text itself is in the payload. Their settings let a batch become
 * one segment instead of several, and sixteen segments one, bit by bit (a crisis would merge them
 * all at once). Merging sixteen and not eight takes 4 % of the CPU less; thirty-two no less again.
 */
const SCHEMA = `
  CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    transaction_key INTEGER,
    time INTEGER NOT NULL,
    received INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    service INTEGER NOT NULL,
    resource INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    trace_id BLOB,
    span_id BLOB,
    parent_span_id BLOB,
    payload BLOB NOT NULL
  ) STRICT;
  CREATE INDEX records_by_transaction ON records (transaction_key, time)
    WHERE transaction_key IS NOT NULL;
  CREATE VIRTUAL TABLE words USING fts5(
    text, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2'
  );
  INSERT INTO words (words, rank) VALUES ('hashsize', 4194304);
  INSERT INTO words (words, rank) VALUES ('automerge', 16);
  INSERT INTO words (words, rank) VALUES ('crisismerge', 32);
  INSERT INTO words (words, rank) VALUES ('pgsz', 8000);
  CREATE TABLE zones (
    zone INTEGER PRIMARY KEY,
    min_time INTEGER NOT NULL,
    max_time INTEGER NOT NULL,
    max_severity INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE services (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE resources (
    key INTEGER PRIMARY KEY, content BLOB NOT NULL, schema_url TEXT NOT NULL,
    UNIQUE (content, schema_url)
  ) STRICT;
  CREATE TABLE scopes (
    key INTEGER PRIMARY KEY, content BLOB NOT NULL, schema_url TEXT NOT NULL,
    UNIQUE (content, schema_url)
  ) STRICT;
  CREATE TABLE transactions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    logs INTEGER NOT NULL,
    spans INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    dead_letters INTEGER NOT NULL,
    services TEXT NOT NULL,
    operation TEXT NOT NULL,
    entry_time INTEGER,
    entry_failed INTEGER NOT NULL,
    status TEXT NOT NULL,
    status_time INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    deadline_time INTEGER NOT NULL,
    events INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX transactions_by_start ON transactions (started, id);
  CREATE TABLE service_minutes (
    minute INTEGER NOT NULL,
    service INTEGER NOT NULL,
    logs INTEGER NOT NULL,
    error_logs INTEGER NOT NULL,
    spans INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (minute, service)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE operation_minutes (
    minute INTEGER NOT NULL,
    service INTEGER NOT NULL,
    operation TEXT NOT NULL,
    count INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    durations BLOB NOT NULL,
    PRIMARY KEY (minute, service, operation)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE positions (partition TEXT PRIMARY KEY, next_offset INTEGER NOT NULL) STRICT;
  ${RUNS}
  ${LEDGER_TABLES}
  ${DEAD_LETTER_TABLES}
  ${TRACE_TABLES}
  ${SOURCE_TABLES}
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** What a file of version 1 lacks: nothing of what it holds changes. */
const FROM_VERSION_1 = `
  ALTER TABLE transactions ADD COLUMN deadline INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE transactions ADD COLUMN deadline_time INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE transactions ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
  ${RUNS}
`;

/** What a file of version 2 lacks. */
const FROM_VERSION_2 = `
  ${FROM_NO_LEDGER}
  ${DEAD_LETTERS_FROM_VERSION_2}
  ${TRACES_FROM_RECORDS}
  ${SOURCE_TABLES}
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** By the version that the file has. */
const CHANGES: readonly string[] = [SCHEMA, FROM_VERSION_1 + FROM_VERSION_2, FROM_VERSION_2];

/**
 * Opens a day for writing and lays it out where it is new.
 * @throws ClewError STORE_VERSION_UNKNOWN, or what SQLite throws.
 */
export function openDayForWriting(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  return closingOnError(db, () => {
    db.exec(`
      PRAGMA page_size = 8192;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${IDLE_CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${LOG_BYTES_KEPT};
    `);
    const version = knownVersion(db, path);
    const changes = CHANGES[version];
    if (changes !== undefined) change(db, changes);
  });
}

/** Opens a day for reading; undefined while its writer has not laid it out, or brought it up. */
export function openDayForReading(path: string): DatabaseSync | undefined {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  let version = 0;
  closingOnError(db, () => {
    db.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}`);
    version = knownVersion(db, path);
  });
  if (version === SCHEMA_VERSION) return db;
  db.close();
  return undefined;
}

/** In one transaction with the version, so that a crash leaves the file as it was or whole. */
function change(db: DatabaseSync, statements: string): void {
  db.function("letter_pattern", { deterministic: true }, (detail) => patternOf(String(detail)));
  db.exec("BEGIN IMMEDIATE");
  db.exec(statements);
  db.exec("COMMIT");
}

function knownVersion(db: DatabaseSync, path: string): number {
  const version = Number(db.prepare("PRAGMA user_version").get()?.user_version);
  if (version <= SCHEMA_VERSION) return version;
  const why = `its version is ${version}, this collector knows up to ${SCHEMA_VERSION}`;
  throw new ClewError("STORE_VERSION_UNKNOWN", `cannot open ${path}: ${why}`);
}

function closingOnError(db: DatabaseSync, prepare: () => void): DatabaseSync {
  try {
    prepare();
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}
