import type { DeadLetterState } from "../../store/dead-letter.ts";
import type { StoreReader } from "../../store/store.ts";
import { formatRfc3339 } from "../rfc3339.ts";

/** A dead letter as its transaction shows it. */
export interface TransactionLetter {
  readonly id: string;
  readonly reason: string;
  readonly detail: string;
  readonly service: string;
  readonly topic: string;
  readonly state: DeadLetterState;
  /** The last time. */
  readonly refusedAt: string;
}

/** A transaction with more is looked at in the list of dead letters. */
const LETTERS_MAX = 100;

/** Dead letters of the transaction in any state, those refused last first. */
export async function viewDeadLettersOf(
  reader: Pick<StoreReader, "deadLetters">,
  transactionId: string,
): Promise<{ readonly deadLetters: readonly TransactionLetter[]; readonly isCut: boolean }> {
  const page = await reader.deadLetters({ transactionId, limit: LETTERS_MAX });
  const deadLetters = page.items.map((letter): TransactionLetter => {
    const { id, reason, detail, service, topic, state, refusedNs } = letter;
    return { id, reason, detail, service, topic, state, refusedAt: formatRfc3339(refusedNs) };
  });
  return { deadLetters, isCut: page.isCut || page.cursor !== null };
}
