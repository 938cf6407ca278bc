/**
 * Dead letters as all that was told of them adds up: the rules of dead-letter.ts, over documents of
 * which none is ever changed.
 */
import {
  DEAD_LETTER_ACTS,
  type DeadLetterAct,
  type DeadLetterState,
  type StoredDeadLetter,
} from "../../dead-letter.ts";
import {
  type ActDocument,
  LETTER_FIELD,
  type PieceDocument,
  type RefusalDocument,
} from "../document-fields.ts";
import { isAnyOf } from "./record-clauses.ts";
import type { Hit, SearchClient } from "./search-client.ts";
import { parseTime } from "./time-text.ts";

/** A letter without bytes, and by which documents those are found. */
export interface FoundLetter {
  /** Its key in the index (`LETTER_FIELD.letter`). */
  readonly key: string;
  readonly letter: StoredDeadLetter;
  /** The refusal whose original is shown: the earliest that is whole, else the earliest. */
  readonly original: Hit<RefusalDocument>;
  /** In the order of `letter.acts`. */
  readonly acts: readonly Hit<ActDocument>[];
}

type RefusalHit = Hit<RefusalDocument>;
type ActHit = Hit<ActDocument>;
type ToldHit = RefusalHit | ActHit;

/** What is told of letters that is read at once (`index.max_result_window`). */
const TOLD_MAX = 10_000;
/** The latest so many: nobody reads more, and they come with every letter of a list. */
const ACTS_MAX = 100;
const NO_BYTES = new Uint8Array(0);
export const LETTER_BYTES = ["original", "edited", "bytes"];

/** By key; undefined where the time limit ended it. */
export async function readLetters(
  client: SearchClient,
  index: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, FoundLetter> | undefined> {
  if (keys.length === 0) return new Map();
  const isTold = isAnyOf(LETTER_FIELD.kind, ["refusal", "act"]);
  const { hits, isCut } = await client.search<RefusalDocument | ActDocument>({
    index,
    body: {
      size: TOLD_MAX,
      _source: { excludes: LETTER_BYTES },
      query: { bool: { filter: [isAnyOf(LETTER_FIELD.letter, keys), isTold] } },
      sort: [{ [LETTER_FIELD.time]: { order: "desc" } }],
    },
  });
  if (isCut) return undefined;
  const told = hits as readonly ToldHit[];
  const inPieces = told.filter((hit): hit is RefusalHit => {
    return hit.source.kind === "refusal" && hit.source.parts !== undefined;
  });
  const whole = await findWhole(client, index, inPieces);
  if (whole === undefined) return undefined;
  const byKey = Map.groupBy(told, ({ source }) => source.letter);
  const letters = [...byKey].flatMap(([key, of]) => toLetter(key, of, whole) ?? []);
  return new Map(letters.map((letter) => [letter.key, letter]));
}

/** Of refusals whose bytes are in pieces, the ids of those that have all of them. */
async function findWhole(
  client: SearchClient,
  index: string,
  refusals: readonly RefusalHit[],
): Promise<ReadonlySet<string> | undefined> {
  if (refusals.length === 0) return new Set();
  const owners = refusals.map(({ id }) => id);
  const { hits, isCut } = await client.search<PieceDocument>({
    index,
    body: {
      size: TOLD_MAX,
      _source: { excludes: LETTER_BYTES },
      query: { bool: { filter: [isAnyOf(LETTER_FIELD.owner, owners)] } },
    },
  });
  if (isCut) return undefined;
  const pieces = Map.groupBy(hits, ({ source }) => source.owner);
  const isWhole = ({ id, source }: RefusalHit) =>
    hasAllPieces(
      (pieces.get(id) ?? []).map((hit) => hit.source),
      source.parts ?? 0,
    );
  return new Set(refusals.filter(isWhole).map(({ id }) => id));
}

/** Each part, and of each part each place. */
function hasAllPieces(pieces: readonly PieceDocument[], parts: number): boolean {
  const placesLeft = new Map<number, number>();
  for (const { part, places } of pieces) {
    placesLeft.set(part, (placesLeft.get(part) ?? places) - 1);
  }
  return placesLeft.size === parts && [...placesLeft.values()].every((left) => left === 0);
}

/** Undefined where nothing but acts is told of it. */
function toLetter(
  key: string,
  told: readonly ToldHit[],
  whole: ReadonlySet<string>,
): FoundLetter | undefined {
  const refusals = told
    .filter((hit): hit is RefusalHit => hit.source.kind === "refusal")
    .toReversed();
  const acts = told.filter((hit): hit is ActHit => hit.source.kind === "act").toSorted(compareActs);
  const [first] = refusals;
  const latest = refusals.at(-1);
  if (first === undefined || latest === undefined) return undefined;
  const isWhole = ({ id, source }: RefusalHit) => source.parts === undefined || whole.has(id);
  const original = refusals.find(isWhole) ?? first;
  const refusedNs = timeOf(latest);
  const shown = acts.slice(-ACTS_MAX);
  const letter: StoredDeadLetter = {
    ...firstTold(first.source),
    ...{ refusedNs, reason: latest.source.reason, status: latest.source.status ?? null },
    detail: latest.source.detail,
    state: stateOf(acts.at(-1), refusedNs),
    isWhole: isWhole(original),
    refusals: new Set(refusals.map(timeOf)).size,
    acts: shown.map(({ source }) => toAct(source)),
    original: NO_BYTES,
  };
  return { key, letter, original, acts: shown };
}

/** What stays as the first refusal told it. */
function firstTold(document: RefusalDocument) {
  const { letter_id: id, transaction_id: transactionId = "", service, clew, topic } = document;
  return {
    ...{ id, transactionId, topic },
    service: service?.name ?? "",
    runId: clew.run?.id ?? "",
    sequence: clew.sequence ?? 0,
    receivedNs: parseTime(clew.received),
  };
}

/** An act counts only where it is later than the latest refusal. */
function stateOf(act: ActHit | undefined, refusedNs: bigint): DeadLetterState {
  return act === undefined || timeOf(act) <= refusedNs ? "open" : actName(act.source.act);
}

function toAct(document: ActDocument): DeadLetterAct {
  const { letter_id: letterId, act, actor, why: reason = "" } = document;
  const atNs = parseTime(document["@timestamp"]);
  return { letterId, act: actName(act), atNs, actor, reason, edited: null };
}

function actName(act: string): DeadLetterAct["act"] {
  return DEAD_LETTER_ACTS.find((name) => name === act) ?? "discarded";
}

/** By time, and at the same time always in the same order: as the embedded store does. */
function compareActs(a: ActHit, b: ActHit): number {
  const [key, other] = [a, b].map(({ source }) => [source["@timestamp"], source.act, source.actor]);
  return String(key) < String(other) ? -1 : 1;
}

function timeOf({ source }: ToldHit): bigint {
  return parseTime(source["@timestamp"]);
}
