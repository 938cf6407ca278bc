/**
 * Finds which of a run's numbers are stored, without reading them: Elasticsearch counts them in
 * equal stretches. A stretch that holds as many records as numbers, whose sum and whose sum of
 * squares are those of all its numbers, is whole: a number that two records carry does not hide one
 * that is missing. Others are looked at in smaller stretches, down to the numbers.
 */
import { FIELD } from "../document-fields.ts";
import type { QueryClause, Search, SearchClient } from "./search-client.ts";
import type { Buckets, Counted } from "./top-hit.ts";

/** Numbers without a gap, both ends inside. */
export interface Stretch {
  readonly first: number;
  readonly last: number;
}

/** A stretch that may have gaps, and how many records have a number in it. */
export interface CountedStretch extends Stretch {
  readonly records: number;
}

export interface NumberScan {
  readonly client: SearchClient;
  readonly index: string;
  /** Which records count: those of one run and signal. */
  readonly filter: readonly QueryClause[];
}

/** Where so few records are left their numbers are read. */
const RECORDS_READ_MAX = 10_000;
const BUCKETS_MAX = 1024;
const SEARCHES_PER_REQUEST = 16;
/** With more the list of gaps would mean nothing to anybody. */
const STRETCHES_MAX = 5000;

/** By how much sums may be off that are too large for a double to hold exactly. */
const ROUNDING = 2 ** -51;

interface NumberBucket extends Counted {
  readonly key: number;
  readonly totals: NumberTotals;
}

/** By their first numbers; undefined where they are too many, or the time limit came first. */
export async function scanNumbers(
  scan: NumberScan,
  whole: CountedStretch,
): Promise<readonly Stretch[] | undefined> {
  const found: Stretch[] = [];
  let open: readonly CountedStretch[] = [whole];
  while (open.length > 0) {
    if (scan.client.isOver() || found.length > STRETCHES_MAX) return undefined;
    const { few, many } = divide(open);
    const numbers = await readNumbers(scan, few);
    const counted = await countNumbers(scan, many.slice(0, SEARCHES_PER_REQUEST));
    if (numbers === undefined || counted === undefined) return undefined;
    found.push(...numbers, ...counted.whole);
    open = [...counted.open, ...many.slice(SEARCHES_PER_REQUEST)];
  }
  const joined = join(found);
  return joined.length > STRETCHES_MAX ? undefined : joined;
}

/** Of the numbers that records carry; as `extended_stats` gives them. */
export interface NumberTotals {
  readonly sum: number;
  readonly sum_of_squares: number;
}

/** Whether the records of a stretch are all its numbers, each once. */
export function isWhole({ first, last, records }: CountedStretch, totals: NumberTotals): boolean {
  const numbers = last - first + 1;
  const sum = ((first + last) / 2) * numbers;
  if (records !== numbers || totals.sum !== sum || !Number.isSafeInteger(first + last + sum)) {
    return false;
  }
  const squares = squaresUpTo(last) - squaresUpTo(first - 1);
  const off = Math.abs(totals.sum_of_squares - Number(squares));
  return off <= (squares <= Number.MAX_SAFE_INTEGER ? 0 : Number(squares) * ROUNDING);
}

/** 1² + 2² + … + n². */
function squaresUpTo(number: number): bigint {
  const n = BigInt(number);
  return (n * (n + 1n) * (2n * n + 1n)) / 6n;
}

/** Those whose numbers can be read together, and the others. */
function divide(open: readonly CountedStretch[]) {
  const few: CountedStretch[] = [];
  const many: CountedStretch[] = [];
  let left = RECORDS_READ_MAX;
  for (const stretch of open) {
    const isFew = stretch.records <= left && few.length < BUCKETS_MAX;
    if (isFew) left -= stretch.records;
    (isFew ? few : many).push(stretch);
  }
  return { few, many };
}

async function readNumbers(
  { client, index, filter }: NumberScan,
  stretches: readonly Stretch[],
): Promise<readonly Stretch[] | undefined> {
  if (stretches.length === 0) return [];
  const should = stretches.map(isIn);
  const { aggregates, isCut } = await client.search<never, { numbers: Buckets<{ key: number }> }>({
    index,
    body: {
      size: 0,
      query: { bool: { filter: [...filter], should, minimum_should_match: 1 } },
      aggs: { numbers: { terms: { field: FIELD.sequence, size: RECORDS_READ_MAX } } },
    },
  });
  if (isCut) return undefined;
  return join((aggregates?.numbers.buckets ?? []).map(({ key }) => ({ first: key, last: key })));
}

async function countNumbers(scan: NumberScan, stretches: readonly CountedStretch[]) {
  const answers = await scan.client.searchEach<never, { numbers: Buckets<NumberBucket> }>(
    stretches.map((stretch) => countIn(scan, stretch)),
  );
  const whole: Stretch[] = [];
  const open: CountedStretch[] = [];
  for (const [i, { aggregates, isCut }] of answers.entries()) {
    const stretch = stretches[i];
    if (isCut || stretch === undefined) return undefined;
    for (const { key, doc_count, totals } of aggregates?.numbers.buckets ?? []) {
      const part = {
        first: Math.max(key, stretch.first),
        last: Math.min(key + widthOf(stretch) - 1, stretch.last),
        records: doc_count,
      };
      const isOne = part.first === part.last;
      if (isOne || isWhole(part, totals)) whole.push(part);
      else open.push(part);
    }
  }
  return { whole, open };
}

function countIn({ index, filter }: NumberScan, stretch: Stretch): Search {
  const { sequence: field } = FIELD;
  return {
    index,
    body: {
      size: 0,
      query: { bool: { filter: [...filter, isIn(stretch)] } },
      aggs: {
        numbers: {
          histogram: { field, interval: widthOf(stretch), min_doc_count: 1 },
          aggs: { totals: { extended_stats: { field } } },
        },
      },
    },
  };
}

/** A power of two, by which Elasticsearch divides without rounding. */
function widthOf({ first, last }: Stretch): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2((last - first + 1) / BUCKETS_MAX)));
}

function isIn({ first, last }: Stretch): QueryClause {
  return { range: { [FIELD.sequence]: { gte: first, lte: last } } };
}

/** In order, those that touch or overlap as one. */
function join(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const stretch of stretches.toSorted((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before === undefined || stretch.first > before.last + 1) joined.push(stretch);
    else if (stretch.last > before.last) {
      joined[joined.length - 1] = { first: before.first, last: stretch.last };
    }
  }
  return joined;
}
