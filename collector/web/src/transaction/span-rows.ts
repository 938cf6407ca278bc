import { ATTRIBUTE } from "@clew/instrumentation/names";
import type { StoredRecord, StoredSpan } from "../../../src/record.ts";
import { timeMs } from "../format/format-time.ts";

export interface SpanRow {
  readonly record: StoredRecord;
  readonly span: StoredSpan;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for the first of its tree. */
  readonly depth: number;
  /** Another service than its parent's. */
  readonly isHop: boolean;
  /** Where a message waited before this span took it; null where it did not wait. */
  readonly waitedFromMs: number | null;
  /** Its parent is named and not here: still on its way, not sampled, or lost. */
  readonly isParentMissing: boolean;
}

/** Deeper spans are drawn at this depth. */
const DEPTH_MAX = 12;

/**
 * Spans as an outline: parents before children, siblings by start. A span without a parent but
 * with a link (a batch consumer) stands under the span it links to. Cycles and repeats, which
 * broken senders produce, end the descent.
 */
export function spanRows(records: readonly StoredRecord[]): SpanRow[] {
  const nodes = records.flatMap(toNode).toSorted((a, b) => a.startMs - b.startMs);
  const byId = new Map<string, Node>();
  for (const node of nodes) {
    const key = `${node.record.traceId}:${node.record.spanId}`;
    if (!byId.has(key)) byId.set(key, node);
  }
  const roots: Node[] = [];
  for (const node of nodes) {
    const parent = findParent(node, byId);
    node.parent = parent;
    if (parent === undefined) roots.push(node);
    else parent.children.push(node);
  }
  const rows: SpanRow[] = [];
  const seen = new Set<Node>();
  // Spans of a cycle hang under no root: they come last, so that none is left out.
  for (const start of [...roots, ...nodes]) descend(start, seen, rows);
  return rows;
}

interface Node {
  readonly record: StoredRecord;
  readonly span: StoredSpan;
  readonly startMs: number;
  readonly endMs: number;
  readonly children: Node[];
  parent: Node | undefined;
}

function toNode(record: StoredRecord): Node[] {
  if (record.span === null) return [];
  const startMs = timeMs(record.time);
  if (!Number.isFinite(startMs)) return [];
  const endMs = startMs + Math.max(0, record.span.durationMs);
  return [{ record, span: record.span, startMs, endMs, children: [], parent: undefined }];
}

function findParent(node: Node, byId: ReadonlyMap<string, Node>): Node | undefined {
  const { traceId, parentSpanId } = node.record;
  const link = node.span.links[0];
  const key = parentSpanId
    ? `${traceId}:${parentSpanId}`
    : link && `${link.traceId}:${link.spanId}`;
  const parent = key === undefined ? undefined : byId.get(key);
  return parent === node ? undefined : parent;
}

function descend(start: Node, seen: Set<Node>, rows: SpanRow[]): void {
  const stack: { node: Node; depth: number }[] = [{ node: start, depth: 0 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, depth } = top;
    if (seen.has(node)) continue;
    seen.add(node);
    rows.push(toRow(node, Math.min(depth, DEPTH_MAX)));
    for (const child of node.children.toReversed()) stack.push({ node: child, depth: depth + 1 });
  }
}

function toRow({ record, span, startMs, endMs, parent }: Node, depth: number): SpanRow {
  return {
    record,
    span,
    startMs,
    endMs,
    depth,
    waitedFromMs: span.kind === "consumer" ? findWaitStart({ record, startMs, parent }) : null,
    isHop: parent !== undefined && parent.record.service !== record.service,
    isParentMissing: Boolean(record.parentSpanId) && parent === undefined,
  };
}

/** The consumer's own measurement is best: the clocks of two machines differ. */
function findWaitStart(node: Pick<Node, "record" | "startMs" | "parent">): number | null {
  const { record, startMs, parent } = node;
  const waitMs = record.attributes[ATTRIBUTE.queueWaitMs];
  if (typeof waitMs === "number" && waitMs > 0) return startMs - waitMs;
  return parent !== undefined && parent.endMs < startMs ? parent.endMs : null;
}
