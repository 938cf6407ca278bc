import type { DeadLetter, DeadLetterAct } from "../dead-letter.ts";

/** What is told of dead letters on one day. */
export interface LettersOfDay {
  readonly letters: DeadLetter[];
  readonly acts: DeadLetterAct[];
}

/**
 * Parts what is told of dead letters by day. All of one letter belongs to one day: to the one that
 * has something of it, else to that of its refusal. An act whose letter nobody knows goes to the
 * newest day, and the letter there, should it be told of later.
 */
export function splitLettersByDay(
  told: {
    readonly deadLetters: readonly DeadLetter[];
    readonly deadLetterActs: readonly DeadLetterAct[];
  },
  days: {
    /** By id the day whose file has something of that letter. */
    readonly findDays: (ids: ReadonlySet<string>) => ReadonlyMap<string, string>;
    readonly dayOf: (timeNs: bigint) => string;
    readonly newest: () => string;
  },
): ReadonlyMap<string, LettersOfDay> {
  const { deadLetters, deadLetterActs } = told;
  const ids = [...deadLetters.map(({ id }) => id), ...deadLetterActs.map((act) => act.letterId)];
  if (ids.length === 0) return new Map();
  const dayById = new Map(days.findDays(new Set(ids)));
  const parts = new Map<string, LettersOfDay>();
  const partOf = (id: string, fallback: () => string): LettersOfDay => {
    const day = dayById.get(id) ?? fallback();
    dayById.set(id, day);
    const part = parts.get(day) ?? { letters: [], acts: [] };
    parts.set(day, part);
    return part;
  };
  for (const letter of deadLetters) {
    partOf(letter.id, () => days.dayOf(letter.refusedNs)).letters.push(letter);
  }
  for (const act of deadLetterActs) partOf(act.letterId, days.newest).acts.push(act);
  return parts;
}
