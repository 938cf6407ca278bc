import type { BusLag } from "../../bus/bus.ts";
import type { StoredRecord } from "../../record.ts";
import type { StoreReader, TransactionSummary } from "../../store/store.ts";
import type { Judgement } from "./judge.ts";
import type { VerdictSource } from "./verdict-source.ts";

/** A transaction with more spans is judged where it is looked at alone. */
export const LIST_SPANS_MAX = 1000;
/** The store answers so many questions at once. */
const PARALLEL_MAX = 8;

export interface PageJudging {
  readonly reader: Pick<StoreReader, "transactionRecords">;
  readonly verdicts: VerdictSource;
  readonly busLag: BusLag | null;
  /** Aborted once the time for the whole list is over. */
  readonly signal: AbortSignal;
}

/**
 * A verdict for each transaction of a list, in its order; undefined where the time for it was over.
 * What has too many spans for a list is `unknown` and says so.
 */
export async function judgePage(
  summaries: readonly TransactionSummary[],
  judging: PageJudging,
): Promise<(Judgement | undefined)[]> {
  const judgements: (Judgement | undefined)[] = summaries.map(() => undefined);
  let next = 0;
  const work = async () => {
    while (next < summaries.length && !judging.signal.aborted) {
      const at = next++;
      const summary = summaries[at];
      if (summary !== undefined) judgements[at] = await judgeSummary(summary, judging);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_MAX }, work));
  return judgements;
}

async function judgeSummary(
  summary: TransactionSummary,
  { reader, verdicts, busLag }: PageJudging,
): Promise<Judgement> {
  if (summary.spans > LIST_SPANS_MAX) {
    return unjudged(`it has ${summary.spans} spans, too many for a list: open it to see`);
  }
  const { transactionId } = summary;
  const spans: StoredRecord[] = [];
  let isCut = false;
  if (summary.spans > 0) {
    const filter = { transactionId, kind: "span", limit: LIST_SPANS_MAX } as const;
    const page = await reader.transactionRecords(filter);
    spans.push(...page.items);
    isCut = page.isCut || page.cursor !== null;
  }
  return verdicts.judge({ summary, spans, isCut, busLag });
}

/** Nothing was looked at, and so nothing is said. */
export function unjudged(reason: string): Judgement {
  return { verdict: "unknown", reason, missing: [], doubts: [], waiting: [] };
}
