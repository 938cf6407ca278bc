/** Numbers of runs that lie among the dead letters. */
import type { NumberRange } from "../../signal-ledger.ts";
import { LETTER_FIELD } from "../document-fields.ts";
import { isAnyOf, isTerm } from "./record-clauses.ts";
import type { SearchClient } from "./search-client.ts";
import type { StoreStreams } from "./store-streams.ts";
import { docValues, textOf, timeOf } from "./top-hit.ts";

export interface DeadNumbers {
  readonly service: string;
  /** Of their receipt. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  readonly log: DeadSignal;
  readonly span: DeadSignal;
}

interface DeadSignal {
  /** Of one number each, in order; some of them more than once. */
  readonly ranges: readonly NumberRange[];
  readonly letters: number;
  /** There are more letters than were read. */
  readonly isCut: boolean;
}

interface Letter {
  readonly runId: string;
  readonly service: string;
  readonly isSpan: boolean;
  readonly range: NumberRange;
}

/** Letters of all runs asked for that are read (`index.max_result_window`). */
const LETTERS_MAX = 10_000;
const TRACES = "traces";
const FIELDS = [
  LETTER_FIELD.runId,
  LETTER_FIELD.service,
  LETTER_FIELD.sequence,
  LETTER_FIELD.topic,
  LETTER_FIELD.received,
];

/** By run id, of those that have any; undefined where the time limit ended it. */
export async function readDeadNumbers(
  { client, streams }: { readonly client: SearchClient; readonly streams: StoreStreams },
  runIds: readonly string[],
): Promise<ReadonlyMap<string, DeadNumbers> | undefined> {
  const isNumbered = { range: { [LETTER_FIELD.sequence]: { gte: 1 } } };
  const isOfRuns = isAnyOf(LETTER_FIELD.runId, runIds);
  const filter = [isTerm(LETTER_FIELD.kind, "refusal"), isOfRuns, isNumbered];
  const { hits, isCut } = await client.search({
    index: streams.deadLetters,
    body: {
      ...{ size: LETTERS_MAX, _source: false },
      query: { bool: { filter } },
      docvalue_fields: docValues(FIELDS),
    },
  });
  if (isCut) return undefined;
  const letters = hits.map(({ fields }): Letter => {
    const number = Number(textOf(fields, LETTER_FIELD.sequence));
    const receivedNs = timeOf(fields, LETTER_FIELD.received);
    return {
      runId: textOf(fields, LETTER_FIELD.runId),
      service: textOf(fields, LETTER_FIELD.service),
      isSpan: textOf(fields, LETTER_FIELD.topic) === TRACES,
      range: { first: number, last: number, firstNs: receivedNs, lastNs: receivedNs },
    };
  });
  const byRun = Map.groupBy(letters, ({ runId }) => runId);
  const areMore = hits.length === LETTERS_MAX;
  return new Map([...byRun].map(([runId, of]) => [runId, toNumbers(of, areMore)]));
}

function toNumbers(letters: readonly Letter[], isCut: boolean): DeadNumbers {
  const times = letters.map(({ range }) => range.firstNs).toSorted((a, b) => (a < b ? -1 : 1));
  return {
    service: letters[0]?.service ?? "",
    firstNs: times[0] ?? 0n,
    lastNs: times.at(-1) ?? 0n,
    log: toSignal(
      letters.filter(({ isSpan }) => !isSpan),
      isCut,
    ),
    span: toSignal(
      letters.filter(({ isSpan }) => isSpan),
      isCut,
    ),
  };
}

function toSignal(letters: readonly Letter[], isCut: boolean): DeadSignal {
  const ranges = letters.map(({ range }) => range).toSorted((a, b) => a.first - b.first);
  return { ranges, letters: letters.length, isCut };
}
