import { SEMANTIC } from "@clew/instrumentation/names";
import { clockOf, placeOf } from "../describe-place.ts";
import type { Evidence } from "../evidence.ts";
import { amount, type FoundAt, finding, type LeveledFinding } from "../finding.ts";
import { messagesOf, type SpanFact, topicOf } from "../span-fact.ts";

/** A span of work on many messages links to so many senders at most (`LINKS_MAX`). */
const LINKS_CUT_AT = 128;

/**
 * Messages that were sent and that no consumer span answers. Certain where a service is known to
 * work on the topic; possible where nobody is known to. A message may be consumed more than once
 * (redelivery), and by several services; what went on under another ID is found by its senders.
 */
export function findUnconsumedMessages(evidence: Evidence): LeveledFinding[] {
  const knownByTopic = knownConsumers(evidence);
  const findings: LeveledFinding[] = [];
  for (const sent of evidence.spans) {
    if (sent.kind !== "producer" || sent.runId === "") continue;
    const expected = messagesOf(sent);
    const topic = topicOf(sent);
    const known = knownByTopic.get(topic) ?? NOBODY;
    findings.push(...judgeMessages({ sent, topic, expected, known }, evidence));
  }
  return findings;
}

const NOBODY: ReadonlySet<string> = new Set();

interface SentMessages {
  readonly sent: SpanFact;
  /** Empty where they went to several topics. */
  readonly topic: string;
  readonly expected: number;
  /** Services that work on the topic. */
  readonly known: ReadonlySet<string>;
}

function judgeMessages(of: SentMessages, evidence: Evidence): LeveledFinding[] {
  const { sent, topic, expected, known } = of;
  const consumed = countConsumed(evidence.answersTo(sent));
  const services = new Set([...known, ...consumed.keys()]);
  if (sent.record.span?.status === "error") {
    // The broker may have taken them all the same.
    return consumed.size > 0 ? [] : [found(of, { level: "doubt", why: UNCERTAIN }, evidence)];
  }
  if (services.size === 0) {
    return [found(of, { level: "doubt", why: "nobody is known to consume it" }, evidence)];
  }
  // Of several topics nobody knows how many messages each got: all together must be enough.
  if (topic === "") {
    const total = [...consumed.values()].reduce((sum, count) => sum + count, 0);
    if (total >= expected) return [];
    return [found(of, { level: "doubt", why: "not all are known to be consumed" }, evidence)];
  }
  return [...services].flatMap((service) => {
    const missing = expected - (consumed.get(service) ?? 0);
    if (missing <= 0) return [];
    if (hasCutLinks(evidence, { topic, service })) {
      const why = `${service} worked on more messages than it names`;
      return [found(of, { level: "doubt", why }, evidence)];
    }
    const what = expected === 1 ? "it" : `${missing} of them`;
    const why = `${service} has not consumed ${what}`;
    return [found(of, { level: "missing", why, service, count: missing }, evidence)];
  });
}

const UNCERTAIN = "sending failed, and nobody is known to have consumed it";

function found(
  { sent, topic, expected }: SentMessages,
  is: Pick<FoundAt, "service" | "count"> & { level: "missing" | "doubt"; why: string },
  evidence: Evidence,
): LeveledFinding {
  const { level, why, service = "", count = expected } = is;
  const what = expected === 1 ? "the message" : amount(expected, "message");
  const to = topic === "" ? "" : ` to ${topic}`;
  const by = `by ${placeOf(sent.service, sent.runId)} at ${clockOf(sent.endNs)}`;
  return finding({
    level: evidence.mayStillCome(sent.receivedNs) ? "waiting" : level,
    what: "message",
    text: `${what} sent${to} ${by}: ${why}`,
    ...{ service, count, sinceNs: sent.endNs },
    ...{ traceId: sent.record.traceId, spanId: sent.record.spanId },
  });
}

/** By service, each message once, however often it was delivered. */
function countConsumed(consumers: readonly SpanFact[]): Map<string, number> {
  const places = new Map<string, Set<string>>();
  const merged = new Map<string, number>();
  for (const span of consumers) {
    const { service } = span;
    const own = places.get(service) ?? new Set<string>();
    places.set(service, own);
    const count = mergedBy(span);
    if (count > 0) merged.set(service, (merged.get(service) ?? 0) + count);
    else own.add(placeIn(span));
  }
  const counted = new Map<string, number>();
  for (const [service, own] of places) {
    counted.set(service, own.size + (merged.get(service) ?? 0));
  }
  return counted;
}

/** How many messages a span worked on at once, this sender's or others'; 0 where it was one. */
function mergedBy(span: SpanFact): number {
  if (span.record.attributes[SEMANTIC.messagingBatchCount] !== undefined) return messagesOf(span);
  const isOne = span.parentKey !== "" || !span.isSummary;
  return isOne ? 0 : Number.POSITIVE_INFINITY;
}

/** Where the message lies; without a place, as of another broker, each span is one message. */
function placeIn(span: SpanFact): string {
  const { attributes } = span.record;
  const offset = attributes[SEMANTIC.messagingKafkaOffset];
  if (offset === undefined) return span.key;
  return `${topicOf(span)}/${attributes[SEMANTIC.messagingPartition] ?? ""}/${offset}`;
}

function knownConsumers({ input, spans }: Evidence): Map<string, Set<string>> {
  const known = new Map<string, Set<string>>();
  const add = (topic: string, service: string) => {
    const services = known.get(topic) ?? new Set<string>();
    known.set(topic, services.add(service));
  };
  for (const { topic, service } of input.topicConsumers) add(topic, service);
  for (const span of spans) if (span.kind === "consumer") add(topicOf(span), span.service);
  known.delete("");
  return known;
}

/** Whether the service worked on more messages of the topic at once than its span names. */
function hasCutLinks(
  { spans, input }: Evidence,
  of: { readonly topic: string; readonly service: string },
): boolean {
  const isCut = (links: number | undefined) => links !== undefined && links >= LINKS_CUT_AT;
  return (
    spans.some(
      (span) =>
        span.kind === "consumer" &&
        span.service === of.service &&
        topicOf(span) === of.topic &&
        isCut(span.record.span?.links.length),
    ) ||
    input.others.some(({ service, span }) => service === of.service && isCut(span?.links.length))
  );
}
