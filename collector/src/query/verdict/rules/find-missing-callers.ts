import { ATTRIBUTE } from "@clew/instrumentation/names";
import type { Attributes } from "../../../record.ts";
import { placeOf } from "../describe-place.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type LeveledFinding } from "../finding.ts";
import { whereIs } from "../run-state.ts";
import { OPEN_SPAN_NS } from "../settle-times.ts";
import { nameOf, type SpanFact, spanKey, topicOf } from "../span-fact.ts";

/**
 * Certain: the span of a caller, or sender, that is known to be a reporting run. Possible: one of
 * whom only the span's id is known. A span that merged messages of other transactions links to
 * spans that belong there.
 */
export function findMissingCallers(evidence: Evidence): LeveledFinding[] {
  const findings: LeveledFinding[] = [];
  for (const span of evidence.spans) {
    if (span.isRoot || (span.kind !== "server" && span.kind !== "consumer")) continue;
    if (span.parentKey !== "") {
      if (!evidence.hasSpan(span.parentKey)) findings.push(...judgeCaller(span, evidence));
    } else if (span.kind === "consumer") {
      findings.push(...judgeSenders(span, evidence));
    }
  }
  return findings;
}

function judgeCaller(span: SpanFact, evidence: Evidence): LeveledFinding[] {
  const { record } = span;
  const verb = span.kind === "consumer" ? "sent the message for" : "called";
  return [
    judgeNamed({
      span,
      traceId: record.traceId,
      spanId: record.parentSpanId,
      runId: runIdIn(record.attributes),
      did: `${verb} ${nameOf(span)} in ${placeOf(span.service, span.runId)}`,
      evidence,
    }),
  ];
}

/** Work on several messages at once has no parent, and links to the spans that sent them. */
function judgeSenders(span: SpanFact, evidence: Evidence): LeveledFinding[] {
  const { record } = span;
  if (record.attributes[ATTRIBUTE.transactionSources] !== undefined) return [];
  const topic = topicOf(span);
  const what = topic === "" ? "a message" : `a message of ${topic}`;
  return (record.span?.links ?? []).flatMap(({ traceId, spanId, attributes }) => {
    const key = spanKey(traceId, spanId);
    if (key === "" || evidence.hasSpan(key)) return [];
    const did = `sent ${what} to ${placeOf(span.service, span.runId)}`;
    return [judgeNamed({ span, traceId, spanId, runId: runIdIn(attributes), did, evidence })];
  });
}

interface NamedCaller {
  /** The span that names it. */
  readonly span: SpanFact;
  readonly traceId: string | null;
  readonly spanId: string | null;
  /** Empty where nobody says whose it is. */
  readonly runId: string;
  readonly did: string;
  readonly evidence: Evidence;
}

function judgeNamed(of: NamedCaller): LeveledFinding {
  const { span, traceId, spanId, runId, did, evidence } = of;
  const { startNs: fromNs, receivedNs: toldNs } = span;
  const at = { what: "span", traceId, spanId, count: 1, sinceNs: fromNs } as const;
  if (runId === "") {
    const text = `the span that ${did} is not stored, and who made it is not known`;
    return finding({ ...at, level: evidence.doubtSince(toldNs), text });
  }
  const service = evidence.ledger(runId)?.service ?? "";
  const where = whereIs({ runId, signal: "spans", fromNs, toldNs }, evidence);
  const isCertain = where === "missing" || where === "never-made";
  const isLate = where === "open" && evidence.input.nowNs - toldNs > OPEN_SPAN_NS;
  const level = isCertain ? "missing" : isLate ? "doubt" : "waiting";
  const why = level === "waiting" ? "is not stored yet" : "is not stored";
  const text = `the span of ${placeOf(service, runId)} that ${did} ${why}`;
  return finding({ ...at, level, service, runId, text });
}

function runIdIn(attributes: Attributes): string {
  const said = attributes[ATTRIBUTE.callerRunId];
  return typeof said === "string" ? said : "";
}
