/** What can be lost of a simulated world, and what then must be noticed. */
import { ATTRIBUTE, REPORT } from "@clew/instrumentation/names";
import type { MadeRecord, Random } from "./verdict-world.ts";

export type Deletion = (records: readonly MadeRecord[], random: Random) => Set<MadeRecord>;

const pick = <T>(items: readonly T[], random: Random): T => {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("cannot pick: there is nothing");
  return item;
};
const ofTransactions = (records: readonly MadeRecord[]) =>
  records.filter(({ transactionId }) => transactionId !== "");
const only = (records: readonly MadeRecord[], kind: MadeRecord["kind"]) =>
  ofTransactions(records).filter((record) => record.kind === kind);

/** The ways in which records are lost; each takes what it was given and answers what is gone. */
export const DELETIONS: Readonly<Record<string, Deletion>> = {
  "one log record": (records, random) => new Set([pick(only(records, "log"), random)]),
  "a log record that no span counts": (records, random) => {
    const isUncounted = ({ spanId, isAfterSpan }: MadeRecord) => spanId === "" || isAfterSpan;
    return new Set([pick(only(records, "log").filter(isUncounted), random)]);
  },
  "one span": (records, random) => new Set([pick(only(records, "span"), random)]),
  "some records of one transaction": (records, random) => {
    const { transactionId } = pick(ofTransactions(records), random);
    const own = records.filter((record) => record.transactionId === transactionId);
    return new Set(own.filter(() => random() < 0.4));
  },
  "all that one run made of a transaction": (records, random) => {
    const { transactionId, run } = pick(ofTransactions(records), random);
    const isGone = (record: MadeRecord) =>
      record.transactionId === transactionId && record.run === run;
    return new Set(records.filter(isGone));
  },
  "a whole instance": (records, random) => {
    const { run } = pick(records, random);
    return new Set(records.filter((record) => record.run === run));
  },
  "a stretch of a run": (records, random) => {
    const { run, leftMs } = pick(ofTransactions(records), random);
    const untilMs = leftMs + random() * 2000;
    const isGone = (record: MadeRecord) =>
      record.run === run && record.leftMs >= leftMs && record.leftMs <= untilMs;
    return new Set(records.filter(isGone));
  },
  "the end of a run": (records, random) => {
    const { run, leftMs } = pick(ofTransactions(records), random);
    return new Set(records.filter((record) => record.run === run && record.leftMs >= leftMs));
  },
  "the start of a run": (records, random) => {
    const { run, leftMs } = pick(ofTransactions(records), random);
    return new Set(records.filter((record) => record.run === run && record.leftMs <= leftMs));
  },
  "one record in a thousand": (records, random) => new Set(records.filter(() => random() < 0.001)),
  "all spans of one kind in a transaction": (records, random) => {
    const { transactionId, spanKind } = pick(only(records, "span"), random);
    const isGone = (record: MadeRecord) =>
      record.transactionId === transactionId && record.spanKind === spanKind;
    return new Set(records.filter(isGone));
  },
};

/** What is left of a transaction, and of the runs that took part. */
export interface Remains {
  readonly lost: readonly MadeRecord[];
  readonly kept: readonly MadeRecord[];
  /** All that is stored, by run id. */
  readonly byRun: ReadonlyMap<string, readonly MadeRecord[]>;
}

/**
 * What must be said of the loss, by what survives: that something is missing, where a surviving
 * record names or counts what is gone; at least that it may be, where its run tells of it; nothing,
 * where no trace is left. Worked out from what was deleted, which a verdict cannot see.
 */
export function tracesOf(remains: Remains): "certain" | "possible" | "none" {
  const { lost } = remains;
  if (lost.some((record) => isCounted(record, remains) || isNamed(record, remains))) {
    return "certain";
  }
  const isPossible = (record: MadeRecord) =>
    isBesideOthers(record, remains) || isBeyondReports(record, remains);
  return lost.some(isPossible) ? "possible" : "none";
}

/** A later number of its run survives, and that run is known to have taken part. */
function isBesideOthers(record: MadeRecord, { kept, byRun }: Remains): boolean {
  if (!tookPart(record, kept)) return false;
  const figure = record.kind === "log" ? REPORT.logsEmitted : REPORT.spansEmitted;
  return (byRun.get(record.run.runId) ?? []).some(
    (other) =>
      (other.kind === record.kind && other.sequence > record.sequence) ||
      Number(other.report?.figures[figure] ?? 0) >= record.sequence,
  );
}

function tookPart({ run }: MadeRecord, kept: readonly MadeRecord[]): boolean {
  return kept.some(
    (other) =>
      other.run === run ||
      other.attributes[ATTRIBUTE.peerRunId] === run.runId ||
      other.attributes[ATTRIBUTE.callerRunId] === run.runId,
  );
}

/** A log record whose span survives and counts it. */
function isCounted(record: MadeRecord, { kept }: Remains): boolean {
  if (record.kind !== "log" || record.isAfterSpan || record.spanId === "") return false;
  return kept.some((other) => other.kind === "span" && other.spanId === record.spanId);
}

/** A span that a surviving record names, or that must answer a surviving one. */
function isNamed(record: MadeRecord, { kept }: Remains): boolean {
  if (record.kind !== "span") return false;
  const isTheSame = (other: MadeRecord) =>
    other.run.service === record.run.service &&
    other.attributes["messaging.kafka.offset"] === record.attributes["messaging.kafka.offset"];
  return kept.some((other) => {
    const names =
      other.kind === "log"
        ? other.spanId === record.spanId && !other.isAfterSpan
        : other.parentSpanId === record.spanId ||
          (other.attributes[ATTRIBUTE.transactionSources] === undefined &&
            other.links.some(({ spanId }) => spanId === record.spanId));
    if (names) return other.kind === "log" || !isStart(other);
    const isCalled =
      other.spanId === record.parentSpanId || record.links.some((it) => it.spanId === other.spanId);
    if (!isCalled || other.kind !== "span" || ![3, 4].includes(other.spanKind)) return false;
    // Delivered twice, and the other delivery is there.
    const again = (one: MadeRecord) =>
      one.kind === "span" && one.parentSpanId === record.parentSpanId && isTheSame(one);
    return record.links.length === 0 && !kept.some(again);
  });
}

function isStart({ attributes }: MadeRecord): boolean {
  return attributes[ATTRIBUTE.transactionStart] === true;
}

/** Its run is not known to have reported after what it is known to have done for it. */
function isBeyondReports(record: MadeRecord, { kept, byRun }: Remains): boolean {
  const own = kept.filter(({ run }) => run === record.run);
  if (own.length === 0) return false;
  const reports = (byRun.get(record.run.runId) ?? []).flatMap(({ report }) => report ?? []);
  const endNs = own.reduce((end, { timeNs, durationNs }) => {
    const at = timeNs + durationNs;
    return at > end ? at : end;
  }, 0n);
  return reports.every(({ isFinal, lastSeenNs }) => !isFinal && lastSeenNs < endNs);
}
