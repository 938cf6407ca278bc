/** Dead letters, and what people did with them, as documents (LETTER_FIELD, document-fields.ts). */
import type { DeadLetter, DeadLetterAct } from "../dead-letter.ts";
import { toRfc3339 } from "../embedded/stored-record.ts";
import type { ActDocument, PieceDocument, RefusalDocument } from "./document-fields.ts";
import { storedTimeNs } from "./json-time.ts";
import { letterKey } from "./letter-key.ts";

export interface LetterEntry {
  readonly id: string;
  readonly document: RefusalDocument | ActDocument | PieceDocument;
}

/** A server may take no more than a megabyte at once; base64 makes four bytes of three. */
const PIECE_BYTES = 512 * 1024;
/** Of the hash of an actor's name. */
const ACTOR_DIGITS = 16;

/**
 * The documents of a refusal; that which says it, last. Ids are made of what is told, so that told
 * twice it is one: `<hash of the letter's id>-<refusedNs>`, and for pieces `-<part>-<place>`.
 */
export function refusalEntries(letter: DeadLetter): readonly LetterEntry[] {
  const { id, refusedNs, receivedNs, transactionId, service, runId, sequence, piece } = letter;
  const base = baseOf(id, refusedNs);
  const entry = `${base.letter}-${refusedNs}`;
  const bytes = Buffer.from(letter.original);
  const isInline = piece === null && bytes.length <= PIECE_BYTES;
  const document: RefusalDocument = {
    ...base,
    kind: "refusal",
    ...(transactionId !== "" && { transaction_id: transactionId }),
    ...(service !== "" && { service: { name: service.toWellFormed() } }),
    clew: {
      received: toRfc3339(storedTimeNs(receivedNs)),
      ...(sequence !== 0 && { sequence }),
      ...(runId !== "" && { run: { id: runId } }),
    },
    reason: letter.reason,
    ...(letter.status !== null && { status: letter.status }),
    detail: letter.detail,
    topic: letter.topic,
    ...(isInline ? { original: bytes.toString("base64") } : { parts: piece?.count ?? 1 }),
  };
  const told = { id: entry, document };
  if (isInline) return [told];
  return [...pieces({ ...base, owner: entry, part: piece?.index ?? 0 }, bytes), told];
}

/** The documents of an act; that which says it, last. */
export function actEntries(act: DeadLetterAct): readonly LetterEntry[] {
  const { letterId, atNs, actor, reason, edited } = act;
  const base = baseOf(letterId, atNs);
  const entry = `${base.letter}-${atNs}-${act.act}-${letterKey(actor).slice(0, ACTOR_DIGITS)}`;
  const bytes = Buffer.from(edited ?? []);
  const isInline = bytes.length <= PIECE_BYTES;
  const document: ActDocument = {
    ...base,
    kind: "act",
    act: act.act,
    actor,
    ...(reason !== "" && { why: reason }),
    ...(edited !== null && (isInline ? { edited: bytes.toString("base64") } : { parts: 1 })),
  };
  const told = { id: entry, document };
  return isInline ? [told] : [...pieces({ ...base, owner: entry, part: 0 }, bytes), told];
}

interface LetterBase {
  readonly "@timestamp": string;
  readonly letter: string;
  readonly letter_id: string;
}

function baseOf(letterId: string, atNs: bigint): LetterBase {
  return {
    "@timestamp": toRfc3339(storedTimeNs(atNs)),
    letter: letterKey(letterId),
    letter_id: letterId.toWellFormed(),
  };
}

function pieces(
  of: LetterBase & { readonly owner: string; readonly part: number },
  bytes: Buffer,
): readonly LetterEntry[] {
  const places = Math.max(1, Math.ceil(bytes.length / PIECE_BYTES));
  return Array.from({ length: places }, (_, place) => {
    const piece = bytes.subarray(place * PIECE_BYTES, (place + 1) * PIECE_BYTES);
    return {
      id: `${of.owner}-${of.part}-${place}`,
      document: { ...of, kind: "piece", place, places, bytes: piece.toString("base64") },
    };
  });
}
