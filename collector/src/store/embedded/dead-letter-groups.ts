import type { DeadLetterGroup } from "../dead-letter.ts";

/** So many different causes are told apart; of further ones only that there are more. */
const GROUPS_MAX = 10_000;

interface Grouped {
  readonly id: string;
  readonly reason: string;
  readonly service: string;
  readonly pattern: string;
  readonly refusedNs: bigint;
}

/** Adds up letters that come refused last first: the first of a group is its latest. */
export class DeadLetterGroups {
  readonly #groups = new Map<string, DeadLetterGroup>();
  #isFull = false;

  add({ id, reason, service, pattern, refusedNs }: Grouped): void {
    const key = JSON.stringify([reason, service, pattern]);
    const group = this.#groups.get(key);
    if (group !== undefined) {
      this.#groups.set(key, { ...group, count: group.count + 1, firstRefusedNs: refusedNs });
      return;
    }
    if (this.#groups.size >= GROUPS_MAX) {
      this.#isFull = true;
      return;
    }
    const times = { firstRefusedNs: refusedNs, lastRefusedNs: refusedNs };
    this.#groups.set(key, { reason, service, pattern, count: 1, ...times, exampleId: id });
  }

  largest(limit: number): { items: readonly DeadLetterGroup[]; isCut: boolean } {
    const items = [...this.#groups.values()].toSorted(compareGroups);
    return { items: items.slice(0, limit), isCut: this.#isFull || items.length > limit };
  }
}

/** The largest first, then the one with the latest refusal, then by name. */
function compareGroups(a: DeadLetterGroup, b: DeadLetterGroup): number {
  if (a.count !== b.count) return b.count - a.count;
  if (a.lastRefusedNs !== b.lastRefusedNs) return a.lastRefusedNs > b.lastRefusedNs ? -1 : 1;
  return a.exampleId < b.exampleId ? -1 : 1;
}
