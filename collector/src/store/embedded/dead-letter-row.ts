/** How a dead letter lies in a day file. */
import type { SQLOutputValue } from "node:sqlite";
import type { DeadLetterAct, DeadLetterState, StoredDeadLetter } from "../dead-letter.ts";
import type { DayReader } from "./day-reader.ts";

const actsWith = (edited: string) => `
  SELECT at, act, actor, reason, ${edited} FROM dead_letter_acts WHERE letter_id = ?
  ORDER BY at DESC, act DESC, actor DESC LIMIT ?`;
const ACTS = actsWith("edited");
const ACTS_FOR_LISTS = actsWith("NULL AS edited");
/** Of the sets of pieces that were told of, the earliest that is whole, else the earliest. */
const BEST_SET = `
  SELECT refused, count(*) = max(pieces) AS is_whole FROM dead_letter_originals WHERE letter = ?
  GROUP BY refused ORDER BY is_whole DESC, refused LIMIT 1`;
const PIECES = `
  SELECT piece, bytes FROM dead_letter_originals WHERE letter = ? AND refused = ? ORDER BY piece`;
/** The latest so many: nobody reads more, and they come with every letter of a list. */
const ACTS_MAX = 100;
const NO_BYTES = new Uint8Array(0);

export interface LetterRow extends Omit<StoredDeadLetter, "original" | "isWhole" | "acts"> {
  readonly key: bigint;
  readonly pattern: string;
}

/** @param row read with big integers */
export function toLetterRow(row: Record<string, SQLOutputValue>): LetterRow {
  return {
    key: row.key as bigint,
    id: String(row.id),
    receivedNs: row.received as bigint,
    refusedNs: row.refused as bigint,
    transactionId: String(row.transaction_id),
    service: String(row.service),
    runId: String(row.run_id),
    sequence: Number(row.sequence),
    reason: String(row.reason),
    status: row.status === null ? null : Number(row.status),
    detail: String(row.detail),
    pattern: String(row.pattern),
    topic: String(row.topic),
    state: row.state as DeadLetterState,
    refusals: Number(row.refusals),
  };
}

export function readLetter(
  { reader, row }: { readonly reader: DayReader; readonly row: LetterRow },
  { withBytes }: { readonly withBytes: boolean },
): StoredDeadLetter {
  const { key, pattern: _, ...letter } = row;
  const best = reader.prepare(BEST_SET).get(key);
  const isWhole = best?.is_whole === 1n;
  const original =
    withBytes && best !== undefined ? readPieces(reader, key, best.refused) : NO_BYTES;
  const rows = reader.prepare(withBytes ? ACTS : ACTS_FOR_LISTS).all(letter.id, ACTS_MAX);
  const acts = rows.map((act) => toAct(letter.id, act)).toReversed();
  return { ...letter, isWhole, original, acts };
}

/** Up to the first piece that is missing. */
function readPieces(reader: DayReader, key: bigint, refused: SQLOutputValue | undefined) {
  const pieces: Uint8Array[] = [];
  for (const { piece, bytes } of reader.prepare(PIECES).iterate(key, refused ?? null)) {
    if (Number(piece) !== pieces.length || !(bytes instanceof Uint8Array)) break;
    pieces.push(bytes);
  }
  return pieces.length === 1 ? (pieces[0] ?? NO_BYTES) : Buffer.concat(pieces);
}

function toAct(letterId: string, row: Record<string, SQLOutputValue>): DeadLetterAct {
  return {
    letterId,
    act: row.act as DeadLetterAct["act"],
    atNs: row.at as bigint,
    actor: String(row.actor),
    reason: String(row.reason),
    edited: row.edited instanceof Uint8Array ? row.edited : null,
  };
}
