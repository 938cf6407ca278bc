import { ATTRIBUTE } from "@clew/instrumentation/names";
import { SEMANTIC_ALIASES } from "../../../wire-names.ts";
import { placeOf } from "../describe-place.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type LeveledFinding } from "../finding.ts";
import { whereIs } from "../run-state.ts";
import { attributeText, nameOf, type SpanFact } from "../span-fact.ts";

/** Errors of a connection that was never made: nobody can have worked on such a call. */
const NOBODY_REACHED: ReadonlySet<string> = new Set([
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"],
  ...["EHOSTDOWN", "ENETDOWN", "EADDRNOTAVAIL", "UND_ERR_CONNECT_TIMEOUT"],
]);

/**
 * Certain: a call that a run answered, by its own word, has that run's server span. Possible: a
 * call that nobody is known to have answered was worked on by somebody who reports nothing. A
 * database makes no records, and a call that reached nobody made none either.
 */
export function findMissingAnswers(evidence: Evidence): LeveledFinding[] {
  const findings: LeveledFinding[] = [];
  for (const call of evidence.spans) {
    if (call.kind !== "client") continue;
    const said = call.record.attributes[ATTRIBUTE.peerRunId];
    const found =
      typeof said === "string" && said !== ""
        ? judgeAnswered(call, said, evidence)
        : judgeUnanswered(call, evidence);
    if (found !== undefined) findings.push(found);
  }
  return findings;
}

function judgeAnswered(
  call: SpanFact,
  runId: string,
  evidence: Evidence,
): LeveledFinding | undefined {
  if (evidence.answersTo(call).some((answer) => answer.runId === runId)) return undefined;
  const { startNs: fromNs, receivedNs: toldNs, record } = call;
  const service = evidence.ledger(runId)?.service ?? "";
  const where = whereIs({ runId, signal: "spans", fromNs, toldNs }, evidence);
  const called = `${nameOf(call)} of ${placeOf(call.service, call.runId)}`;
  const at = { traceId: record.traceId, spanId: record.spanId, sinceNs: call.endNs };
  const level = where === "waiting" ? "waiting" : "missing";
  const text = `${placeOf(service, runId)} answered ${called}, and its span is not stored${
    where === "waiting" ? " yet" : ""
  }`;
  return finding({ level, what: "span", text, service, runId, count: 1, ...at });
}

function judgeUnanswered(call: SpanFact, evidence: Evidence): LeveledFinding | undefined {
  if (call.runId === "" || evidence.answersTo(call).length > 0) return undefined;
  if (evidence.index.hasInnerCall(call.record)) return undefined;
  if (attributeText(call, SEMANTIC_ALIASES.databaseSystem) !== "") return undefined;
  if (NOBODY_REACHED.has(attributeText(call, SEMANTIC_ALIASES.errorType))) return undefined;
  const { service, runId, record } = call;
  const address = attributeText(call, SEMANTIC_ALIASES.serverAddress);
  const whom = address === "" ? "" : ` to ${address}`;
  const from = `${nameOf(call)} of ${placeOf(service, runId)}${whom}`;
  return finding({
    level: evidence.doubtSince(call.receivedNs),
    what: "hop",
    text: `nobody who reports is known to have answered ${from}`,
    ...{ service, runId, traceId: record.traceId, spanId: record.spanId, sinceNs: call.endNs },
  });
}
