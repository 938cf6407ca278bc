/** How much is indexed, how often, and into what. */
import { RECORDS_PER_REQUEST } from "../log-requests.ts";

/** Where the documents go: counted and forgotten, or into a real Elasticsearch. */
export const TARGETS = ["null sink", "elasticsearch"] as const;
export type Target = (typeof TARGETS)[number];

export interface IndexPlan {
  /** Turns of each subject into each target. */
  readonly rounds: Readonly<Record<Target, number>>;
  /** Indexed by each subject before it is measured: a JIT compiler has to see its code first. */
  readonly warmUpRecords: number;
  /** Behind those, in the same topic. */
  readonly records: number;
  readonly views: ViewPlan;
}

export interface ViewPlan {
  /** Of small transactions, around those that are looked at. */
  readonly elasticsearchRecords: number;
  readonly embeddedRecords: number;
  readonly shapes: readonly ViewShape[];
}

/** Transactions of one size, all in the store at once. */
export interface ViewShape {
  readonly records: number;
  /** How many of them are stored. */
  readonly transactions: number;
  readonly lookups: number;
}

const SHAPES: readonly ViewShape[] = [
  { records: 1, transactions: 500, lookups: 1000 },
  { records: 100, transactions: 100, lookups: 500 },
  { records: 10_000, transactions: 4, lookups: 100 },
];

export const FULL: IndexPlan = {
  rounds: { "null sink": 5, elasticsearch: 2 },
  warmUpRecords: 300_000,
  records: 1_000_000,
  views: { elasticsearchRecords: 1_000_000, embeddedRecords: 10_000_000, shapes: SHAPES },
};
/** Within six minutes. */
export const SHORT: IndexPlan = {
  rounds: { "null sink": 1, elasticsearch: 1 },
  warmUpRecords: 100_000,
  records: 200_000,
  views: {
    elasticsearchRecords: 100_000,
    embeddedRecords: 200_000,
    shapes: SHAPES.map((shape) => ({ ...shape, lookups: Math.ceil(shape.lookups / 5) })),
  },
};

/** Messages of the topic, each of which holds a request of as many records as everywhere here. */
export function messagesFor(records: number): number {
  return Math.ceil(records / RECORDS_PER_REQUEST);
}
