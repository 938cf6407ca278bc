import { placeOf } from "../describe-place.ts";
import type { Evidence } from "../evidence.ts";
import { type FoundAt, finding, type LeveledFinding } from "../finding.ts";
import { whereIs } from "../run-state.ts";
import { OPEN_SPAN_NS } from "../settle-times.ts";
import { nameOf, spanKey } from "../span-fact.ts";

/** Kinds of spans whose parent was made in the same run. */
const LOCAL_KINDS: ReadonlySet<string> = new Set(["internal", "client", "producer"]);

/**
 * Certain: a span that another span of its run, or a log record, was made under. It may not have
 * ended yet: then its run, while it is alive, has given out no number that is not stored.
 */
export function findMissingParents(evidence: Evidence): LeveledFinding[] {
  const named = new Map<string, NamedSpan>();
  for (const span of evidence.spans) {
    const { parentKey: key, runId, service, startNs: fromNs, receivedNs: toldNs } = span;
    if (key === "" || span.isRoot || !LOCAL_KINDS.has(span.kind)) continue;
    if (evidence.hasSpan(key)) continue;
    const by = `the parent of ${nameOf(span)}`;
    const spanId = span.record.parentSpanId ?? "";
    keepEarliest(named, { key, runId, service, spanId, fromNs, toldNs, by });
  }
  for (const counted of evidence.input.spanLogs) {
    const { traceId, spanId, runId, service, firstNs: fromNs, lastNs: toldNs } = counted;
    const key = spanKey(traceId, spanId);
    if (key === "" || counted.logs === 0 || evidence.hasSpan(key)) continue;
    const by = "named by log records";
    keepEarliest(named, { key, runId, service, spanId, fromNs, toldNs, by });
  }
  return [...named.values()].flatMap((span) => judgeSpan(span, evidence));
}

interface NamedSpan {
  readonly key: string;
  readonly spanId: string;
  readonly runId: string;
  readonly service: string;
  readonly fromNs: bigint;
  readonly toldNs: bigint;
  readonly by: string;
}

/** One span is missing once, however many records name it. */
function keepEarliest(named: Map<string, NamedSpan>, span: NamedSpan): void {
  const known = named.get(span.key);
  if (known === undefined || span.fromNs < known.fromNs) named.set(span.key, span);
}

function judgeSpan(span: NamedSpan, evidence: Evidence): LeveledFinding[] {
  const { key, runId, service, spanId, fromNs, toldNs, by } = span;
  // Of what reports nothing, nothing is certain: that it took part says another rule.
  if (runId === "") return [];
  const place = placeOf(service, runId);
  const traceId = key.slice(0, key.indexOf(":"));
  const at = { what: "span", service, runId, traceId, spanId, count: 1, sinceNs: fromNs } as const;
  const found = (level: FoundAt["level"], why: string) => [
    finding({ ...at, level, text: `a span of ${place}, ${by}, ${why}` }),
  ];
  const where = whereIs({ runId, signal: "spans", fromNs, toldNs }, evidence);
  if (where === "never-made") return [];
  if (where === "missing") return found("missing", "is not stored");
  if (where === "waiting") return found("waiting", "is not stored yet");
  if (evidence.input.nowNs - toldNs <= OPEN_SPAN_NS) return found("waiting", "has not ended yet");
  const makesSpans = evidence.ledger(runId)?.spans.emitted !== 0;
  return makesSpans ? found("doubt", "has not ended for over an hour") : [];
}
