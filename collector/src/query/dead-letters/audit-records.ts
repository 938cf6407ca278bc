/** What people did with dead letters, as log records of the collector's own. */
import { encodeLogsRequest, type ShippedRecord } from "../../lines/logs-request.ts";
import { AUDIT, AUDIT_EVENT, OWN_SERVICE } from "../../wire-names.ts";
import type { Outcome } from "./letter-outcome.ts";

export interface AuditedAct {
  readonly act: keyof typeof AUDIT_EVENT;
  readonly actor: string;
  readonly reason: string;
  readonly atNs: bigint;
  readonly outcomes: readonly Outcome[];
}

/** A record names so many letters; of more there are several records. */
const IDS_PER_RECORD_MAX = 50;
const SCOPE = "clew/dead-letters";
const INFO = { number: 9, text: "INFO" };
const WARN = { number: 13, text: "WARN" };

/**
 * An OTLP export request with a record for each transaction and result. None carries the
 * transaction's ID as its own: it would be part of the transaction, move its end to today and make
 * the collector a participant.
 */
export function auditRequest({ outcomes, ...act }: AuditedAct): {
  readonly value: Buffer;
  readonly records: number;
} {
  const groups = Map.groupBy(outcomes, ({ transactionId, result }) =>
    JSON.stringify([transactionId, result]),
  );
  const records = [...groups.values()].flatMap((group) =>
    chunks(group).map((some) => toRecord(act, some)),
  );
  const value = encodeLogsRequest(records, { service: OWN_SERVICE, scope: SCOPE });
  return { value, records: records.length };
}

function chunks(outcomes: readonly Outcome[]): (readonly Outcome[])[] {
  const count = Math.ceil(outcomes.length / IDS_PER_RECORD_MAX);
  return Array.from({ length: count }, (_, index) =>
    outcomes.slice(index * IDS_PER_RECORD_MAX, (index + 1) * IDS_PER_RECORD_MAX),
  );
}

function toRecord(
  { act, actor, reason, atNs }: Omit<AuditedAct, "outcomes">,
  outcomes: readonly Outcome[],
): ShippedRecord {
  const { transactionId = "", result = "failed" } = outcomes[0] ?? {};
  const ids = outcomes.map(({ id }) => id);
  const what = `${ids.length} dead ${ids.length === 1 ? "letter" : "letters"}`;
  const of = transactionId === "" ? "" : ` of transaction ${transactionId}`;
  const why = reason === "" ? "" : `, because: ${reason}`;
  const did = result === "done" ? act : `${act}, which was ${result}`;
  return {
    ...{ timeNs: atNs, observedNs: atNs, severity: result === "done" ? INFO : WARN },
    body: `${actor}: ${what}${of} ${did}${why} (${ids.join(", ")})`,
    attributes: {
      [AUDIT.eventName]: AUDIT_EVENT[act],
      [AUDIT.actor]: actor,
      [AUDIT.reason]: reason,
      [AUDIT.letterIds]: ids,
      [AUDIT.count]: ids.length,
      [AUDIT.result]: result,
      ...(transactionId === "" ? {} : { [AUDIT.transactionId]: transactionId }),
    },
    ...{ uid: undefined, service: OWN_SERVICE, file: undefined, transactionId: undefined },
    ...{ traceId: undefined, spanId: undefined, host: undefined, resource: undefined },
  };
}
