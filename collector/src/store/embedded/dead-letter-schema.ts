/** The tables of dead letters in a day file. */

/**
 * Everything of one letter lies in one file: that of the day on which it was told of first.
 * `refused`, `reason`, `status`, `detail` and `pattern` are those of its latest refusal, the others
 * those of its first; `state` and `refusals` follow from the tables below and are kept for lists.
 * The original's bytes are apart, so that lists do not read past them; where they came in pieces,
 * or at several refusals, each is a row until they are whole.
 */
export const DEAD_LETTER_TABLES = `
  CREATE TABLE dead_letters (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    received INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    transaction_id TEXT NOT NULL,
    service TEXT NOT NULL,
    run_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER,
    detail TEXT NOT NULL,
    pattern TEXT NOT NULL,
    topic TEXT NOT NULL,
    state TEXT NOT NULL,
    refusals INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX dead_letters_by_refusal ON dead_letters (refused, id);
  CREATE INDEX dead_letters_by_transaction ON dead_letters (transaction_id)
    WHERE transaction_id <> '';
  CREATE TABLE dead_letter_originals (
    letter INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    pieces INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (letter, refused, piece)
  ) STRICT;
  CREATE TABLE dead_letter_refusals (
    letter INTEGER NOT NULL, refused INTEGER NOT NULL, PRIMARY KEY (letter, refused)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE dead_letter_acts (
    letter_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    act TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    edited BLOB,
    PRIMARY KEY (letter_id, at, act, actor)
  ) STRICT;
`;

/**
 * For a day of version 2 or before, whose letters were refused when they were received as far as
 * anybody knows. Chunks of one letter were letters of their own there, and stay that. The
 * connection must have the function `letter_pattern`.
 */
export const DEAD_LETTERS_FROM_VERSION_2 = `
  ALTER TABLE dead_letters RENAME TO dead_letters_before;
  ${DEAD_LETTER_TABLES}
  INSERT INTO dead_letters (id, received, refused, transaction_id, service, run_id, sequence,
    reason, status, detail, pattern, topic, state, refusals)
    SELECT id, received, received, transaction_id, service, '', 0,
      reason, NULL, detail, letter_pattern(detail), topic, 'open', 1 FROM dead_letters_before;
  INSERT INTO dead_letter_refusals SELECT key, refused FROM dead_letters;
  INSERT INTO dead_letter_originals SELECT key, refused, 0, 1, original
    FROM dead_letters JOIN dead_letters_before USING (id);
  DROP TABLE dead_letters_before;
`;
