import type { GroupOffsets } from "./kafka-group-offsets.ts";

export interface ConsumerStart {
  /** Offset of the first message to read. */
  readonly next: number;
  /** What the group committed; 0 where that says nothing of this partition. */
  readonly committed: number;
  /** One line for the log, where something is not as it should be. */
  readonly remark: string | undefined;
}

export interface StartRequest {
  readonly partition: string;
  readonly offsets: Omit<GroupOffsets, "metadata">;
  /** What the store has, or the reader said is safe, counted from the same partition. */
  readonly known: number | undefined;
  /**
   * `known` is where to begin, also before what was committed: so at the start of a process, whose
   * store may come from a backup. Later the group may be ahead, where another member read.
   */
  readonly isExact: boolean;
}

/**
 * Says where a partition is read from. What would be passed over in doubt is read again instead,
 * since records are stored once: a partition in which the group committed nothing, or which ends
 * before the offset that is known, is another one than it was counted in.
 */
export function chooseStart({ partition, offsets, known, isExact }: StartRequest): ConsumerStart {
  const { low, end, committed } = offsets;
  const wanted = isExact && known !== undefined ? known : Math.max(known ?? 0, committed ?? 0);
  const isOther = wanted > end || (committed ?? 0) > end;
  if (isOther || committed === undefined) {
    const why = isOther ? `ends at ${end}` : "has no committed offset of the group";
    const remark = `${partition} ${why}, its consumer is at ${wanted}: reading all again`;
    return { next: low, committed: 0, remark: wanted > low ? remark : undefined };
  }
  if (wanted >= low) return { next: wanted, committed, remark: undefined };
  const remark = `${partition} begins at ${low}, its consumer is at ${wanted}: ${
    low - wanted
  } messages were deleted before they were read`;
  return { next: low, committed, remark };
}
