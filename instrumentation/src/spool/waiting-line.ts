import type { SpoolBatch } from "./spool-batch.ts";
import type { Stretch } from "./stretch.ts";

/** What of one signal, of this run or of dead ones, is to be sent: oldest first. */
export class WaitingLine {
  /** Given back after a failure: as they are, because a request that is repeated never changes. */
  readonly returned: SpoolBatch[] = [];
  readonly taken = new Set<SpoolBatch>();
  #stretches: Stretch[] = [];

  push(stretch: Stretch): void {
    this.#stretches.push(stretch);
  }

  get hasWaiting(): boolean {
    return this.returned.length > 0 || this.#stretches.length > 0;
  }

  get isEmpty(): boolean {
    return !this.hasWaiting && this.taken.size === 0;
  }

  /** The stretches of the next request: all of one run, and together within the bound. */
  takeGroup(bytesMax: number): Stretch[] {
    let bytes = 0;
    let count = 0;
    const [first] = this.#stretches;
    for (const stretch of this.#stretches) {
      if (count > 0 && bytes + stretch.payloadBytes > bytesMax) break;
      if (first === undefined || !isSameRun(first, stretch)) break;
      bytes += stretch.payloadBytes;
      count++;
    }
    return this.#stretches.splice(0, count);
  }

  remove(stretch: Stretch): void {
    const index = this.#stretches.indexOf(stretch);
    if (index !== -1) this.#stretches.splice(index, 1);
  }

  /** Takes out what satisfies a condition. */
  takeWhere(condition: (stretch: Stretch) => boolean): Stretch[] {
    const found = this.#stretches.filter(condition);
    if (found.length > 0) this.#stretches = this.#stretches.filter((one) => !condition(one));
    return found;
  }

  /**
   * Makes one of a stretch and the one before it, where both are on disk only and adjacent: days
   * without a collector must not become a long list. True where it did.
   */
  joinBefore(stretch: Stretch, bytesMax: number): boolean {
    const index = this.#stretches.lastIndexOf(stretch);
    const before = this.#stretches[index - 1];
    if (before === undefined || before.frame !== undefined) return false;
    const isAdjacent =
      before.segment === stretch.segment && before.at + before.diskBytes === stretch.at;
    if (!isAdjacent || before.diskBytes + stretch.diskBytes > bytesMax) return false;
    before.records += stretch.records;
    before.payloadBytes += stretch.payloadBytes;
    before.diskBytes += stretch.diskBytes;
    this.#stretches.splice(index, 1);
    return true;
  }
}

/** Only an adopted stretch is of another run than this one. */
function isSameRun(a: Stretch, b: Stretch): boolean {
  if (a.segment?.isAdopted !== true) return true;
  return (
    b.segment?.resource.length === a.segment.resource.length &&
    Buffer.compare(a.segment.resource, b.segment.resource) === 0
  );
}
