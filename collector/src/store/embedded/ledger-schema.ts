/** The ledger's tables in a day file. */

/** What a row of `run_numbers` is about. A dead letter's time is that of its receipt. */
export const NUMBERS = { logs: 0, spans: 1, deadLogs: 2, deadSpans: 3 } as const;
export const NUMBERS_LISTS = 4;

/**
 * Numbers that lie in a row are one row, so that a run without gaps has one for each of its lists.
 * `run_expired` says of runs up to which number their records may have been in days that are gone,
 * `unnumbered` until when there were records that no ledger knows of.
 */
export const LEDGER_TABLES = `
  CREATE TABLE run_seen (
    key INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    service TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX run_seen_by_time ON run_seen (last_seen, run_id);
  CREATE TABLE run_numbers (
    run INTEGER NOT NULL,
    list INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time INTEGER NOT NULL,
    PRIMARY KEY (run, list, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE run_expired (
    run_id TEXT NOT NULL,
    signal INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (run_id, signal)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE unnumbered (until_time INTEGER NOT NULL) STRICT;
`;

/** Clocks of runs may be ahead of the collector's, which says when a record was received. */
const AHEAD_NS_MAX = 60_000_000_000n;

/**
 * For a day written without a ledger: which numbers it holds nobody knows, so that those given out
 * before its last record was received count as expired. Its runs are those that reported.
 */
export const FROM_NO_LEDGER = `
  ${LEDGER_TABLES}
  INSERT INTO run_seen (run_id, service, first_seen, last_seen)
    SELECT run_id, json_extract(report, '$.service'),
      CAST(json_extract(report, '$.firstSeenNs') AS INTEGER), last_seen FROM runs;
  INSERT INTO unnumbered SELECT received + ${AHEAD_NS_MAX} FROM records ORDER BY seq DESC LIMIT 1;
`;
