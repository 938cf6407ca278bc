/** Messages beside each other in a partition that are counted as one. */
export interface LagMark {
  /** Offset after the last message of this mark. */
  end: number;
  messages: number;
  records: number;
  /** Receipt of its first message. */
  readonly receivedNs: bigint;
}

/** Half as many marks, each made of two neighbours. The ones given are changed. */
export function mergeNeighbours<M extends LagMark>(marks: readonly M[]): M[] {
  const merged: M[] = [];
  for (let i = 0; i < marks.length; i += 2) {
    const mark = marks[i] as M;
    const next = marks[i + 1];
    if (next !== undefined) {
      mark.end = next.end;
      mark.messages += next.messages;
      mark.records += next.records;
    }
    merged.push(mark);
  }
  return merged;
}
