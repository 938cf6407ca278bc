/** Every name that leaves a process: spelt here once, imported everywhere (DESIGN: "Contract"). */

/** Attribute keys of log records, spans and resources. */
export const ATTRIBUTE = {
  transactionId: "clew.transaction.id",
  /** True on the span that minted the transaction ID: the transaction began here. */
  transactionStart: "clew.transaction.start",
  /** Explicit end of the business operation: completed | failed | compensated | timed-out. */
  transactionStatus: "clew.transaction.status",
  /** The ID a caller sent and that was not taken over. */
  callerTransactionId: "clew.transaction.caller_id",
  recordUid: "log.record.uid",
  runId: "clew.run.id",
  spanSequence: "clew.span.sequence",
  /** On a span at its end: how many log records were made under it. */
  spanLogs: "clew.span.logs",
  /** On a client span: the run that answered. */
  peerRunId: "clew.peer.run.id",
} as const;

/** HTTP and Kafka header names, lower case as Node reports them. */
export const HEADER = {
  transactionId: "x-transaction-id",
  correlationId: "x-correlation-id",
  baggage: "baggage",
  traceparent: "traceparent",
  tracestate: "tracestate",
  run: "clew-run",
  /** Which attempt at sending this request is: 2 and more may repeat records. */
  attempt: "clew-attempt",
} as const;

/** Top-level key of the transaction ID in JSON log lines and in the store. */
export const LOG_FIELD_TRANSACTION_ID = "transaction_id";

/** A transaction ID that is accepted; anything else is replaced by a new one. */
export const TRANSACTION_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
