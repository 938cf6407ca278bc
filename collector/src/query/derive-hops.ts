import type { StoredRecord } from "../record.ts";
import { describeHop, type Hop, type Passage } from "./hop.ts";
import { SpanIndex } from "./span-index.ts";

/** A consumer span may link to as many producers as it likes; the answer stays readable. */
export const HOPS_MAX = 10_000;

/**
 * Hops from the spans of one transaction (OpenTelemetry semantic conventions for HTTP, messaging,
 * RPC and databases). A client or producer span, and the server or consumer span that names it as
 * parent or link, make one hop. A server span whose caller is not known is a hop from null; a
 * client span that no span answers is a hop with `answered: false`.
 *
 * Spans come from anywhere: cycles, self parents, repeated ids and missing times are survived.
 * @returns hops by start; those without a start last. `parentId` names the hop that made this one.
 */
export function deriveHops(
  records: readonly StoredRecord[],
  index = new SpanIndex(records),
): { hops: Hop[]; isCut: boolean } {
  const passages: Passage[] = [];
  const answered = new Set<StoredRecord>();
  let isCut = false;
  const add = (passage: Passage) => {
    if (passages.length < HOPS_MAX) passages.push(passage);
    else isCut = true;
  };
  for (const entered of index.entered) {
    const callers = index.callersOf(entered);
    for (const caller of callers) {
      if (isCalling(caller)) answered.add(caller);
      add({ caller, entered });
    }
    if (callers.length === 0 && !index.isInnerServer(entered)) add({ caller: null, entered });
  }
  for (const caller of index.calling) {
    if (!answered.has(caller) && !index.hasInnerCall(caller)) add({ caller, entered: null });
  }
  return { hops: nameHops(passages, index), isCut };
}

function isCalling(record: StoredRecord | null): boolean {
  return record?.span?.kind === "client" || record?.span?.kind === "producer";
}

/** Sorts, gives each hop its id, and finds the hop within which it was made. */
function nameHops(passages: readonly Passage[], index: SpanIndex): Hop[] {
  const described = passages.map((passage) => ({ passage, hop: describeHop(passage) }));
  described.sort((a, b) => compareTimes(a.hop.startedNs, b.hop.startedNs));
  const shares = countShares(passages);
  const idByEntered = new Map<StoredRecord, string>();
  described.forEach(({ passage }, i) => {
    const { entered } = passage;
    if (entered && !idByEntered.has(entered)) idByEntered.set(entered, String(i + 1));
  });
  return described.map(({ passage, hop }, i) => {
    const enclosing = passage.caller ? index.enclosing(passage.caller) : undefined;
    const parentId = enclosing ? (idByEntered.get(enclosing) ?? null) : null;
    const id = String(i + 1);
    const { startedNs: _, ...rest } = hop;
    return { id, parentId: parentId === id ? null : parentId, ...rest, ...shares(passage) };
  });
}

/** Where one message went to several consumers, or one consumer worked on several messages. */
function countShares(passages: readonly Passage[]): (passage: Passage) => Partial<Hop> {
  const byCaller = new Map<StoredRecord | null, number>();
  const byEntered = new Map<StoredRecord | null, number>();
  for (const { caller, entered } of passages) {
    byCaller.set(caller, (byCaller.get(caller) ?? 0) + 1);
    byEntered.set(entered, (byEntered.get(entered) ?? 0) + 1);
  }
  return ({ caller, entered }) => {
    const fanOut = isCalling(caller) ? (byCaller.get(caller) ?? 1) : 1;
    const fanIn = entered === null ? 1 : (byEntered.get(entered) ?? 1);
    return { ...(fanOut > 1 ? { fanOut } : {}), ...(fanIn > 1 ? { fanIn } : {}) };
  };
}

function compareTimes(a: bigint | undefined, b: bigint | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -1 : 1;
}
