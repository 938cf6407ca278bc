/**
 * Dead letters, refused last first. Refusals are gone through by time; one counts where it is the
 * latest of its letter, so that each letter is given once, at its place.
 */
import {
  cursorNs,
  cursorText,
  decodeCursor,
  encodeCursor,
  invalidCursor,
} from "../../cursor-text.ts";
import type { DeadLetterFilter, DeadLetterGroup, StoredDeadLetter } from "../../dead-letter.ts";
import { DeadLetterGroups } from "../../embedded/dead-letter-groups.ts";
import { patternOf } from "../../letter-pattern.ts";
import type { Page } from "../../store.ts";
import { LETTER_FIELD } from "../document-fields.ts";
import { letterKey } from "../letter-key.ts";
import { readLetterBytes } from "./letter-bytes.ts";
import { readLetters } from "./letters.ts";
import { isTerm, isWithin } from "./record-clauses.ts";
import { pageSize } from "./record-page.ts";
import type { Hit, SearchClient } from "./search-client.ts";
import { tookTooLong } from "./search-errors.ts";
import { formatTime, parseTime, TIME_FORMAT } from "./time-text.ts";
import { docValues, textOf } from "./top-hit.ts";

/** Refusals that are gone through at once. */
const REFUSALS_PER_SEARCH = 500;

type Sort = Hit<never>["sort"];

/** What one search found, and where it ended. */
interface Step {
  /** Those that pass, refused last first, each with its place. */
  readonly letters: readonly { readonly letter: StoredDeadLetter; readonly sort: Sort }[];
  readonly end: Sort | undefined;
  readonly isLast: boolean;
  readonly isCut: boolean;
}

export async function listDeadLetters(
  client: SearchClient,
  index: string,
  filter: DeadLetterFilter,
): Promise<Page<StoredDeadLetter>> {
  const limit = pageSize(filter.limit);
  const items: StoredDeadLetter[] = [];
  let last: Sort | undefined;
  for await (const step of steps(client, index, filter)) {
    for (const { letter, sort } of step.letters) {
      if (items.length === limit) return { items, cursor: encodePlace(last), isCut: false };
      items.push(letter);
      last = sort;
    }
    if (step.isCut) return { items, cursor: encodePlace(step.end), isCut: true };
  }
  return { items, cursor: null, isCut: false };
}

export async function groupDeadLetters(
  client: SearchClient,
  index: string,
  filter: DeadLetterFilter,
): Promise<Page<DeadLetterGroup>> {
  const groups = new DeadLetterGroups();
  let isCut = false;
  for await (const step of steps(client, index, filter)) {
    for (const { letter } of step.letters) {
      groups.add({ ...letter, pattern: patternOf(letter.detail) });
    }
    isCut = step.isCut;
  }
  const { items, isCut: isListCut } = groups.largest(pageSize(filter.limit));
  return { items, cursor: null, isCut: isCut || isListCut };
}

export async function findDeadLetter(
  client: SearchClient,
  index: string,
  id: string,
): Promise<StoredDeadLetter | undefined> {
  const key = letterKey(id);
  const found = await readLetters(client, index, [key]);
  if (found === undefined) throw tookTooLong("find the dead letter");
  const letter = found.get(key);
  return letter && readLetterBytes(client, index, letter);
}

/** Ends with the last letter, or with one that says that the time limit came first. */
async function* steps(
  client: SearchClient,
  index: string,
  filter: DeadLetterFilter,
): AsyncGenerator<Step> {
  let after = filter.cursor === undefined ? undefined : decodePlace(filter.cursor);
  for (;;) {
    const step = await readStep(client, index, { filter, after });
    const isCut = step.isCut || (client.isOver() && !step.isLast);
    yield { ...step, isCut };
    if (isCut || step.isLast) return;
    after = step.end;
  }
}

async function readStep(
  client: SearchClient,
  index: string,
  { filter, after }: { readonly filter: DeadLetterFilter; readonly after: Sort | undefined },
): Promise<Step> {
  const { transactionId } = filter;
  const { hits, isCut } = await client.search({
    index,
    body: {
      ...{ size: REFUSALS_PER_SEARCH, _source: false },
      query: {
        bool: {
          filter: [
            isTerm(LETTER_FIELD.kind, "refusal"),
            ...isWithin(LETTER_FIELD.time, filter),
            ...(transactionId === undefined
              ? []
              : [isTerm(LETTER_FIELD.transactionId, transactionId)]),
          ],
        },
      },
      docvalue_fields: docValues([LETTER_FIELD.letter]),
      sort: [
        { [LETTER_FIELD.time]: { order: "desc", format: TIME_FORMAT } },
        { [LETTER_FIELD.letterId]: { order: "desc", unmapped_type: "keyword" } },
      ],
      ...(after && { search_after: [...after] }),
    },
  });
  const keys = new Set(hits.map(({ fields }) => textOf(fields, LETTER_FIELD.letter)));
  const found = isCut ? undefined : await readLetters(client, index, [...keys]);
  if (found === undefined) return { letters: [], end: after, isLast: false, isCut: true };
  const letters = hits.flatMap(({ fields, sort }) => {
    const letter = found.get(textOf(fields, LETTER_FIELD.letter))?.letter;
    const isLatest = letter?.refusedNs === parseTime(String(sort[0]));
    return isLatest && passes(letter, filter) ? [{ letter, sort }] : [];
  });
  const isLast = hits.length < REFUSALS_PER_SEARCH;
  return { letters, end: hits.at(-1)?.sort ?? after, isLast, isCut: false };
}

function passes(letter: StoredDeadLetter, filter: DeadLetterFilter): boolean {
  const { state, reason, service, transactionId } = filter;
  return (
    (state === undefined || letter.state === state) &&
    (reason === undefined || letter.reason === reason) &&
    (service === undefined || letter.service === service) &&
    (transactionId === undefined || letter.transactionId === transactionId)
  );
}

function encodePlace(sort: Sort | undefined): string | null {
  if (sort === undefined) return null;
  return encodeCursor(["letter", String(parseTime(String(sort[0]))), String(sort[1])]);
}

/** @throws ClewError PARAMETER_INVALID */
function decodePlace(cursor: string): Sort {
  const [list, refused, id] = decodeCursor(cursor);
  if (list !== "letter") throw invalidCursor();
  return [formatTime(cursorNs(refused)), cursorText(id)];
}
