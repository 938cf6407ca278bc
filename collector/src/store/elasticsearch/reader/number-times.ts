/** When certain numbers of runs were given out. */
import { FIELD } from "../document-fields.ts";
import { isAnyOf, isTerm } from "./record-clauses.ts";
import type { SearchClient } from "./search-client.ts";
import { docValues, textOf, timeOf } from "./top-hit.ts";

export interface AskedNumbers {
  readonly runId: string;
  readonly kind: "log" | "span";
  readonly numbers: readonly number[];
}

/** By `numberKey`. */
export type NumberTimes = ReadonlyMap<string, bigint>;

/** So many are read in one search (`index.max_result_window`). */
const NUMBERS_PER_SEARCH = 10_000;

export function numberKey(runId: string, kind: string, number: number): string {
  return `${runId} ${kind} ${number}`;
}

/** Undefined where the time limit ended it. */
export async function readNumberTimes(
  client: SearchClient,
  index: string,
  asked: readonly AskedNumbers[],
): Promise<NumberTimes | undefined> {
  const times = new Map<string, bigint>();
  for (const part of inParts(asked)) {
    const { hits, isCut } = await client.search({
      index,
      body: {
        ...{ size: NUMBERS_PER_SEARCH, _source: false },
        query: { bool: { should: part.map(isOneOf), minimum_should_match: 1 } },
        docvalue_fields: docValues([FIELD.runId, FIELD.kind, FIELD.sequence, FIELD.numbered]),
      },
    });
    if (isCut) return undefined;
    for (const { fields } of hits) {
      const number = Number(textOf(fields, FIELD.sequence));
      const key = numberKey(textOf(fields, FIELD.runId), textOf(fields, FIELD.kind), number);
      times.set(key, timeOf(fields, FIELD.numbered));
    }
  }
  return times;
}

function isOneOf({ runId, kind, numbers }: AskedNumbers) {
  const isRun = [isTerm(FIELD.runId, runId), isTerm(FIELD.kind, kind)];
  return { bool: { filter: [...isRun, isAnyOf(FIELD.sequence, numbers)] } };
}

/** Several runs in one search; of one run at most as many numbers as an answer may hold. */
function* inParts(asked: readonly AskedNumbers[]): Generator<readonly AskedNumbers[]> {
  let part: AskedNumbers[] = [];
  let left = NUMBERS_PER_SEARCH;
  for (const { numbers, ...of } of asked) {
    for (let at = 0; at < numbers.length; at += NUMBERS_PER_SEARCH) {
      const some = numbers.slice(at, at + NUMBERS_PER_SEARCH);
      if (some.length > left) {
        yield part;
        part = [];
        left = NUMBERS_PER_SEARCH;
      }
      part.push({ ...of, numbers: some });
      left -= some.length;
    }
  }
  if (part.length > 0) yield part;
}
