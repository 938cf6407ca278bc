import { TRANSACTION_STATUSES, VERDICTS, type Verdict } from "../record.ts";
import type { StoreReader, TransactionFilter, TransactionSummary } from "../store/store.ts";
import { ask } from "./ask-store.ts";
import { given, type Parameters } from "./parameters.ts";
import { type TransactionView, viewTransaction } from "./transaction-view.ts";
import type { Judgement } from "./verdict/judge.ts";
import { judgePage, unjudged } from "./verdict/judge-page.ts";
import type { VerdictSource } from "./verdict/verdict-source.ts";

export const LIST_PARAMETERS = [
  "service",
  "operation",
  "status",
  "verdict",
  "minDurationMs",
  "from",
  "to",
  "q",
  "cursor",
  "limit",
];

/** Verdicts of a list take so long at most; what is left then is not judged. */
const JUDGING_MS_MAX = 4000;
/** Transactions that are looked at to find those with one verdict. */
const SCANNED_MAX = 2000;
const SCANNED_AT_ONCE = 100;

export interface TransactionListAnswer {
  readonly transactions: readonly TransactionView[];
  readonly cursor: string | null;
  /** The time was over before all were looked at, or judged. */
  readonly isCut: boolean;
}

export interface TransactionListParts {
  readonly reader: Pick<StoreReader, "listTransactions" | "transactionRecords">;
  readonly verdicts: VerdictSource;
}

/**
 * Transactions by what the store can tell, and each with its verdict. A verdict is worked out when
 * it is asked for, so that to find those with one the list is gone through, page by page, within
 * bounds; the answer says where to go on.
 */
export class TransactionList {
  readonly #parts: TransactionListParts;

  constructor(parts: TransactionListParts) {
    this.#parts = parts;
  }

  /** @throws ClewError PARAMETER_INVALID, and what the store throws */
  async answer(parameters: Parameters): Promise<TransactionListAnswer> {
    const verdict = parameters.oneOf("verdict", VERDICTS);
    const filter = {
      ...given("service", parameters.text("service")),
      ...given("operation", parameters.text("operation")),
      ...given("status", parameters.oneOf("status", TRANSACTION_STATUSES)),
      ...given("minDurationMs", parameters.milliseconds("minDurationMs")),
      ...parameters.window(),
      ...given("query", parameters.text("q")),
      ...given("cursor", parameters.text("cursor")),
      limit: parameters.limit(),
    };
    const signal = AbortSignal.timeout(JUDGING_MS_MAX);
    return verdict === undefined
      ? this.#page(filter, signal)
      : this.#search({ filter, verdict, signal });
  }

  async #page(filter: TransactionFilter, signal: AbortSignal): Promise<TransactionListAnswer> {
    const page = await this.#judged(filter, signal);
    const transactions = page.items.map(({ summary, judgement }) =>
      viewTransaction(summary, judgement ?? LATE),
    );
    return { transactions, cursor: page.cursor, isCut: page.isCut };
  }

  /** Goes on until the page is full, nothing is left, or enough was looked at. */
  async #search(of: {
    filter: TransactionFilter;
    verdict: Verdict;
    signal: AbortSignal;
  }): Promise<TransactionListAnswer> {
    const { filter, verdict, signal } = of;
    const transactions: TransactionView[] = [];
    let cursor = filter.cursor ?? null;
    for (let scanned = 0; scanned < SCANNED_MAX; ) {
      const wanted = filter.limit - transactions.length;
      // A page holds no more than is wanted, so that none is found and not shown.
      const limit = Math.min(SCANNED_AT_ONCE, Math.max(wanted, 1));
      const place = given("cursor", cursor ?? undefined);
      const page = await this.#judged({ ...filter, ...place, limit }, signal);
      // What was not judged in time is left for the next request, unless it would get no further.
      if (page.isLate && scanned > 0) return { transactions, cursor, isCut: true };
      scanned += page.items.length;
      for (const { summary, judgement } of page.items) {
        if (judgement?.verdict === verdict) transactions.push(viewTransaction(summary, judgement));
      }
      if (page.isCut) return { transactions, cursor: page.cursor, isCut: true };
      cursor = page.cursor;
      if (cursor === null || transactions.length >= filter.limit) {
        return { transactions, cursor, isCut: false };
      }
    }
    return { transactions, cursor, isCut: true };
  }

  async #judged(filter: TransactionFilter, signal: AbortSignal): Promise<JudgedPage> {
    const { reader, verdicts } = this.#parts;
    const busLag = await verdicts.findLag();
    const page = await ask(reader.listTransactions(filter));
    const judging = { reader, verdicts, busLag, signal };
    const judgements = await ask(judgePage(page.items, judging));
    const items = page.items.map((summary, i) => ({ summary, judgement: judgements[i] }));
    const isLate = judgements.includes(undefined);
    return { items, cursor: page.cursor, isCut: page.isCut || isLate, isLate };
  }
}

interface JudgedPage {
  readonly items: readonly {
    readonly summary: TransactionSummary;
    /** Undefined where the time for it was over. */
    readonly judgement: Judgement | undefined;
  }[];
  readonly cursor: string | null;
  readonly isCut: boolean;
  readonly isLate: boolean;
}

const LATE = unjudged("the time for this list was over before it was looked at: open it to see");
