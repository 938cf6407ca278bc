import { placeOf } from "../describe-place.ts";
import type { Evidence } from "../evidence.ts";
import { amount, finding, type LeveledFinding } from "../finding.ts";
import { whereIs } from "../run-state.ts";
import { nameOf, type SpanFact, spanKey } from "../span-fact.ts";

/** Certain: each span says at its end how many log records were made under it. */
export function findMissingLogs(evidence: Evidence): LeveledFinding[] {
  const stored = countStored(evidence);
  const findings: LeveledFinding[] = [];
  for (const [key, { span, told, toldNs }] of countTold(evidence.spans)) {
    const missing = told - (stored.get(key) ?? 0);
    if (missing <= 0) continue;
    const { runId, service, startNs: fromNs } = span;
    const where = whereIs({ runId, signal: "logs", fromNs, toldNs }, evidence);
    const under = `made under ${nameOf(span)} in ${placeOf(service, runId)}`;
    findings.push(
      finding({
        level: where === "waiting" ? "waiting" : "missing",
        what: "logs",
        text: `${missing} of ${amount(told, "log record")} ${under} ${isAre(missing)} not stored`,
        ...{ service, runId, count: missing, sinceNs: span.endNs },
        ...{ traceId: span.record.traceId, spanId: span.record.spanId },
      }),
    );
  }
  return findings;
}

interface Told {
  readonly span: SpanFact;
  readonly told: number;
  readonly toldNs: bigint;
}

/** By run and id: where B3 lets two spans of one run share an id, their logs name both. */
function countTold(spans: readonly SpanFact[]): Map<string, Told> {
  const told = new Map<string, Told>();
  for (const span of spans) {
    if (span.logs === null || span.logs === 0 || span.key === "") continue;
    const key = `${span.runId}:${span.key}`;
    const before = told.get(key);
    const toldNs = before && before.toldNs > span.receivedNs ? before.toldNs : span.receivedNs;
    told.set(key, { span, told: (before?.told ?? 0) + span.logs, toldNs });
  }
  return told;
}

function countStored({ input }: Evidence): Map<string, number> {
  const stored = new Map<string, number>();
  for (const { runId, traceId, spanId, logs } of input.spanLogs) {
    const key = `${runId}:${spanKey(traceId, spanId)}`;
    stored.set(key, (stored.get(key) ?? 0) + logs);
  }
  return stored;
}

function isAre(count: number): string {
  return count === 1 ? "is" : "are";
}
