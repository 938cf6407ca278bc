/** What became of a batch that kafkajs delivered. */
export type Verdict =
  /** It follows what was taken before. */
  | { readonly kind: "take" }
  /** It does not follow: read again from `offset`. */
  | { readonly kind: "read-again"; readonly offset: number }
  /** Its partition is not ours, or where to begin in it is not known yet. */
  | { readonly kind: "drop" };

/** Where a partition of the present generation is; offsets of what comes next. */
interface Cursor {
  /** Wanted from Kafka next; undefined until the start is known. */
  next: number | undefined;
  /** Given to the reader up to here (exclusive). */
  handedOut: number;
  /** The group's own, as far as is known. */
  committed: number;
  /** The last `next` that was asked for again. */
  askedAgain: number | undefined;
}

/**
 * Keeps what belongs to partitions that were taken away from what is ours. kafkajs does not: after
 * a rebalance it delivers batches that were fetched before, moves its positions by them, and
 * commits for partitions that another member reads by now. Each rebalance begins a generation, in
 * which only what was read in it counts; what is dropped is delivered again, to whoever reads the
 * partition then, and stored once, since records have fixed ids.
 */
export class GenerationGuard {
  #generation = 0;
  #cursors = new Map<string, Cursor>();

  /** Counts from 1; 0 before the first. */
  get generation(): number {
    return this.#generation;
  }

  /** The partitions of this generation. */
  get partitions(): readonly string[] {
    return [...this.#cursors.keys()];
  }

  /** @returns the number of the generation that begins with these partitions. */
  begin(partitions: Iterable<string>): number {
    this.#cursors = new Map();
    for (const partition of partitions) {
      this.#cursors.set(partition, {
        next: undefined,
        handedOut: 0,
        committed: 0,
        askedAgain: undefined,
      });
    }
    return ++this.#generation;
  }

  /** Nothing is ours until the next generation begins. */
  end(): void {
    this.begin([]);
  }

  /** Says where a partition begins, and what the group had committed for it (0: nothing). */
  start(partition: string, { next, committed }: { next: number; committed: number }): void {
    const cursor = this.#cursors.get(partition);
    if (cursor === undefined) return;
    cursor.next = next;
    cursor.handedOut = next;
    cursor.committed = committed;
  }

  isStarted(partition: string): boolean {
    return this.#cursors.get(partition)?.next !== undefined;
  }

  /**
   * Looks at a batch by the offset of its first message. One that lies further on was fetched in
   * an earlier generation, or nothing is left in between (deleted by retention, or compacted):
   * which of the two shows when the same is asked for again.
   */
  judge(partition: string, firstOffset: number): Verdict {
    const cursor = this.#cursors.get(partition);
    if (cursor?.next === undefined) return { kind: "drop" };
    const { next } = cursor;
    if (firstOffset === next) return { kind: "take" };
    if (firstOffset > next && cursor.askedAgain === next) return { kind: "take" };
    cursor.askedAgain = next;
    return { kind: "read-again", offset: next };
  }

  /** Messages before `next` are in our hands. */
  take(partition: string, next: number): void {
    const cursor = this.#cursors.get(partition);
    if (cursor !== undefined) cursor.next = next;
  }

  /** Messages before `next` are in the reader's hands. */
  handOut(partition: string, next: number): void {
    const cursor = this.#cursors.get(partition);
    if (cursor !== undefined) cursor.handedOut = Math.max(cursor.handedOut, next);
  }

  /** Whether the reader may say that everything before `offset` is safe: ours, read, and news. */
  mayCommit(partition: string, offset: number): boolean {
    const cursor = this.#cursors.get(partition);
    if (cursor?.next === undefined) return false;
    return offset > cursor.committed && offset <= cursor.handedOut;
  }

  /** The broker has it. */
  committed(partition: string, offset: number): void {
    const cursor = this.#cursors.get(partition);
    if (cursor !== undefined) cursor.committed = Math.max(cursor.committed, offset);
  }
}
