import type { Baggage } from "@opentelemetry/api";
import { counts } from "../stats.ts";
import { HEADER } from "../wire-names.ts";
import { parseBaggage } from "./baggage.ts";
import { mintTransaction, type Transaction } from "./transaction-context.ts";
import { isTransactionId } from "./transaction-id.ts";

type Headers = Readonly<Record<string, unknown>>;

/** The longest part of a refused ID that is kept as an attribute. */
const CALLER_ID_CHARACTERS_MAX = 64;

export interface InboundTransaction {
  readonly transaction: Transaction;
  /** The caller's other baggage members, to be passed on. */
  readonly baggage: Baggage | undefined;
}

/**
 * The transaction of an incoming message (DESIGN: "Transaction ID"): X-Transaction-ID, then
 * X-Correlation-ID, then baggage. What is there but not acceptable is replaced by a new ID and
 * counted. A caller that is not trusted gets a new ID in any case, and its own as an attribute.
 */
export function findInboundTransaction(headers: Headers, trusted: boolean): InboundTransaction {
  const parsed = parseBaggage(headers[HEADER.baggage]);
  const sent =
    headers[HEADER.transactionId] ?? headers[HEADER.correlationId] ?? parsed.transactionId;
  if (sent === undefined) {
    return { transaction: mintTransaction(), baggage: trusted ? parsed.others : undefined };
  }
  const isAcceptable = isTransactionId(sent);
  if (!isAcceptable) counts.rejected++;
  if (!trusted) {
    const callerId = isAcceptable ? sent.slice(0, CALLER_ID_CHARACTERS_MAX) : undefined;
    return { transaction: mintTransaction(callerId), baggage: undefined };
  }
  const transaction: Transaction = isAcceptable
    ? { id: sent, isStart: false, callerId: undefined }
    : mintTransaction();
  return { transaction, baggage: parsed.others };
}
