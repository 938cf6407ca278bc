/** The dead letters that the indexer makes of what can never be stored. */
import type { DeliveredMessage } from "../bus/bus.ts";
import type { ClewError } from "../errors.ts";
import type { IncomingRecord } from "../record.ts";
import type { DeadLetter } from "../store/dead-letter.ts";
import { recordRequest } from "./record-request.ts";

const DETAIL_CHARACTERS_MAX = 1024;

export interface Refusal {
  readonly why: string;
  readonly status: number | null;
  /** Unix time. */
  readonly refusedNs: bigint;
}

/** The message as it came, whole: nobody knows what is in it. */
export function letterOfMessage(
  message: DeliveredMessage,
  { error, refusedNs }: { readonly error: ClewError; readonly refusedNs: bigint },
): DeadLetter {
  const { headers, topic, value } = message;
  return {
    id: `${headers.requestId}-${headers.part}`,
    receivedNs: headers.receivedNs,
    refusedNs,
    transactionId: "",
    service: "",
    runId: "",
    sequence: 0,
    reason: "undecodable",
    status: null,
    detail: error.message.slice(0, DETAIL_CHARACTERS_MAX),
    topic,
    original: value,
    piece: null,
  };
}

/** An export request with this one record. */
export function letterOfRecord(record: IncomingRecord, refusal: Refusal): DeadLetter {
  const { id, receivedNs, transactionId, service, runId, sequence } = record;
  return {
    ...{ id, receivedNs, transactionId, service, runId, sequence },
    refusedNs: refusal.refusedNs,
    reason: "refused",
    status: refusal.status,
    detail: refusal.why.slice(0, DETAIL_CHARACTERS_MAX),
    topic: record.kind === "log" ? "logs" : "traces",
    original: recordRequest(record),
    piece: null,
  };
}
