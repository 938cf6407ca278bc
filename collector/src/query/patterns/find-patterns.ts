/** Log patterns: what the newest logs say, by their templates, and what of it is new. */
import type { StoredRecord } from "../../record.ts";
import { parseQuery, TERMS_MAX } from "../../store/query-language/parse-query.ts";
import { countTerms } from "../../store/query-language/query.ts";
import type { LogFilter, StoreReader } from "../../store/store.ts";
import { ask } from "../ask-store.ts";
import { given } from "../parameters.ts";
import { maskMessage } from "./mask-message.ts";
import { PatternFigures } from "./pattern-figures.ts";
import { fits, type MinedPattern, PatternMiner } from "./pattern-miner.ts";
import { PHRASES_MAX, templateQuery } from "./template-query.ts";

/** The newest of the matching logs that are looked at. */
export const PATTERN_RECORDS_MAX = 20_000;
const PAGE_RECORDS = 1000;
/** Reading ends after so long; what is new is then asked for until the second time. */
const READ_MS_MAX = 5000;
const ALL_MS_MAX = 10_000;
/** Logs of the time before that are held against a template until it counts as not told. */
const EARLIER_RECORDS_MAX = 200;

export interface PatternFilter
  extends Pick<LogFilter, "query" | "service" | "minSeverityNumber" | "withReports"> {
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /** Patterns; those with most logs. */
  readonly limit: number;
}

export interface LogPattern {
  readonly tokens: readonly string[];
  readonly figures: PatternFigures;
  /** Not seen in the same span of time before; null where that could not be told within bounds. */
  readonly isNew: boolean | null;
}

export interface FoundPatterns {
  /** Most logs first. */
  readonly patterns: readonly LogPattern[];
  /** Logs that were looked at. */
  readonly records: number;
  /** How many patterns they have, of which those above are the largest. */
  readonly patternCount: number;
  /** Logs beyond so many patterns as are told apart. */
  readonly others: number;
  /** There are more matching logs, or the time limit ended the search. */
  readonly isCut: boolean;
}

export class PatternSearch {
  readonly #reader: Pick<StoreReader, "searchLogs">;
  readonly #nowMs: () => number;
  readonly #startMs: number;

  constructor(reader: Pick<StoreReader, "searchLogs">, nowMs: () => number) {
    this.#reader = reader;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
  }

  /** @throws ClewError STORE_QUERY_INVALID, and what the store rejects with. */
  async find(filter: PatternFilter): Promise<FoundPatterns> {
    const miner = new PatternMiner<StoredRecord, PatternFigures>(() => new PatternFigures());
    const { records, isCut } = await this.#read(filter, miner);
    const mined = miner.patterns().toSorted(mostFirst);
    const patterns: LogPattern[] = [];
    for (const { tokens, gathered: figures } of mined.slice(0, filter.limit)) {
      patterns.push({ tokens, figures, isNew: await this.#isNew(tokens, filter) });
    }
    return { patterns, records, patternCount: mined.length, others: miner.others, isCut };
  }

  async #read(
    { limit: _, ...filter }: PatternFilter,
    miner: PatternMiner<StoredRecord, PatternFigures>,
  ): Promise<{ records: number; isCut: boolean }> {
    let records = 0;
    let cursor: string | undefined;
    for (;;) {
      const limit = Math.min(PAGE_RECORDS, PATTERN_RECORDS_MAX - records);
      const page = await this.#search({ ...filter, ...given("cursor", cursor), limit });
      for (const record of page.items) miner.add(record.message, record);
      records += page.items.length;
      if (page.cursor === null) return { records, isCut: page.isCut };
      const isLate = this.#nowMs() - this.#startMs >= READ_MS_MAX;
      if (isLate || records >= PATTERN_RECORDS_MAX) return { records, isCut: true };
      cursor = page.cursor;
    }
  }

  /** Asks the store for logs with the template's words in the span of time before the window. */
  async #isNew(tokens: readonly string[], filter: PatternFilter): Promise<boolean | null> {
    if (this.#nowMs() - this.#startMs >= ALL_MS_MAX) return null;
    const { limit: _, fromNs, toNs, ...same } = filter;
    const query = withWords(filter.query ?? "", templateQuery(tokens));
    const { items, cursor, isCut } = await this.#search({
      ...same,
      query,
      fromNs: fromNs - (toNs - fromNs),
      toNs: fromNs,
      limit: EARLIER_RECORDS_MAX,
    });
    if (items.some(({ message }) => fits(tokens, maskMessage(message)))) return false;
    return cursor === null && !isCut ? true : null;
  }

  #search(filter: Omit<LogFilter, "order">) {
    return ask(this.#reader.searchLogs({ ...filter, order: "newest" }));
  }
}

/** Both, as far as one text may hold: without the words more is looked through. */
function withWords(query: string, words: string): string {
  if (query === "") return words;
  const parsed = parseQuery(query);
  const isRoom = countTerms(parsed) + PHRASES_MAX <= TERMS_MAX;
  return words === "" || !isRoom || parsed.kind === "everything" ? query : `(${query}) ${words}`;
}

function mostFirst(a: MinedPattern<PatternFigures>, b: MinedPattern<PatternFigures>): number {
  const more = b.gathered.count - a.gathered.count;
  if (more !== 0) return more;
  return a.tokens.join(" ") < b.tokens.join(" ") ? -1 : 1;
}
