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
  /** On the resource of a run that numbers its records, and on no other. */
  runId: "clew.run.id",
  /**
   * The span's number in its run, from 1; log records have theirs in their uid. A span gets it
   * where it leaves memory: at its end or, where it was held for an error of its transaction, up to
   * `SPAN_HELD_MS_MAX` later. A span that never ends never gets one, so that none is missing.
   */
  spanSequence: "clew.span.sequence",
  /**
   * On a span at its end, a summary included, also where it is 0: how many log records were made
   * under it while it was open, and in its own transaction. So many log records of its run must
   * name it, without `afterSpan` and with its transaction. Absent where nobody counted: spans of
   * other SDKs.
   */
  spanLogs: "clew.span.logs",
  /**
   * True on a log record that the span it names does not count: made after that span had ended, or
   * in another transaction than the span's. It counts to its run alone.
   */
  afterSpan: "clew.log.after_span",
  /** On a consumer span: milliseconds from the message's timestamp to its handler. */
  queueWaitMs: "clew.queue.wait_ms",
  /**
   * On a client span: the run that answered. It joined this span's trace and transaction, so its
   * server span, whose parent this span is, or that span's summary, must be there.
   */
  peerRunId: "clew.peer.run.id",
  /**
   * On a server or consumer span: the run whose client or producer span is its parent. That run
   * makes spans and this one joined its trace and transaction, so that span, or its summary, must
   * be there. The span of several messages has it on its links to the spans that sent them, which
   * are kept in its summary too.
   */
  callerRunId: "clew.caller.run.id",
  /**
   * True on a span whose parent, made in the same run, belongs to another transaction or to none:
   * a transaction was opened inside of that one's span. Such a parent is not missing.
   */
  parentOutside: "clew.parent.outside",
  /** True on a span that was not sampled: its ids, times and counts, and nothing else. */
  spanSummary: "clew.span.summary",
  /** True on a span or log record whose error the service expected. */
  errorExpected: "clew.error.expected",
  /** On a producer span: the transactions that a fan-in message was made from. */
  transactionSources: "clew.transaction.sources",
  /** How many transactions those were, where the list may have been cut. */
  transactionSourcesTotal: "clew.transaction.sources.total",
  /** On a consumer span of a retry or dead-letter topic: which attempt this is, from 1. */
  deliveryAttempt: "clew.delivery.attempt",
  /** Name of a step of the transaction. */
  transactionStep: "clew.transaction.step",
  /** How far a step, or its compensation, is: running | done | failed. */
  transactionStepStatus: "clew.transaction.step.status",
  /** When the transaction must be over: Unix time in milliseconds. */
  transactionDeadlineMs: "clew.transaction.deadline_ms",
  breakerName: "clew.breaker.name",
  /** What happened: opened, half-opened, closed, rejected, timed-out, fallback. */
  breakerEvent: "clew.breaker.event",
  healthCheck: "clew.health.check",
  /** What became of it: ok or failing. */
  healthState: "clew.health.state",
  /** What kind of event a log record is (semantic conventions "Events"). */
  eventName: "event.name",
} as const;

/** How long after its end a span may get its number, where nothing holds up the event loop. */
export const SPAN_HELD_MS_MAX = 10_500;

/** Values of `event.name` that Clew gives a meaning to. */
export const EVENT = {
  instanceReport: "clew.instance.report",
  transactionStep: "clew.transaction.step",
  transactionDeadline: "clew.transaction.deadline",
  transactionEnd: "clew.transaction.end",
  /** A step is being undone, was, or could not be: the step's status says which. */
  transactionCompensation: "clew.transaction.compensation",
  breaker: "clew.breaker",
  /** A health check went from one state to another. */
  health: "clew.health",
} as const;

/** Attributes of the log record `clew.instance.report`: cumulative figures of one run. */
export const REPORT = {
  /** True on the last one of a run. */
  final: "clew.report.final",
  /** Log records made: the highest sequence number so far. */
  logsEmitted: "clew.report.logs.emitted",
  spansEmitted: "clew.report.spans.emitted",
  logsDropped: "clew.report.logs.dropped",
  spansDropped: "clew.report.spans.dropped",
  /** Transactions that lost records at the source, bounded; a list of strings. */
  droppedTransactions: "clew.report.dropped_transactions",
  /** True where more transactions than that list holds lost records. */
  droppedTransactionsCut: "clew.report.dropped_transactions.cut",
  /** `host:port` of the run's own /metrics; absent where it has none. */
  metricsAddress: "clew.report.metrics.address",
  cpuSeconds: "process.cpu.time",
  rssBytes: "process.memory.usage",
  heapUsedBytes: "v8js.memory.heap.used",
  eventLoopDelayP99Ms: "clew.report.eventloop.delay.p99_ms",
  networkReceivedBytes: "clew.report.network.received_bytes",
  networkSentBytes: "clew.report.network.sent_bytes",
  /** Key-value list: breaker name to closed, open or half-open. */
  breakers: "clew.report.breakers",
  /** Key-value list: health check name to ok, failing or unknown. */
  health: "clew.report.health",
} as const;

/** HTTP and Kafka header names, lower case as Node reports them. */
export const HEADER = {
  transactionId: "x-transaction-id",
  correlationId: "x-correlation-id",
  baggage: "baggage",
  traceparent: "traceparent",
  tracestate: "tracestate",
  /**
   * The run that calls, or sends a message, and whose span is the parent that goes along; in an
   * answer the run that answers, where it joined the caller's transaction.
   */
  run: "clew-run",
  /** Which attempt at sending this request is: 2 and more may repeat records. */
  attempt: "clew-attempt",
  /** Kafka: how often a message was delivered, this delivery included; absent on the first. */
  deliveryAttempt: "clew-delivery-attempt",
  /** Kafka: the IDs of the transactions that a fan-in message was made from, with commas. */
  transactionSources: "clew-transaction-sources",
} as const;

/** Attribute keys of OpenTelemetry's semantic conventions (1.37) that this package sets. */
export const SEMANTIC = {
  httpMethod: "http.request.method",
  httpMethodOriginal: "http.request.method_original",
  httpRoute: "http.route",
  httpStatusCode: "http.response.status_code",
  urlFull: "url.full",
  urlPath: "url.path",
  urlScheme: "url.scheme",
  serverAddress: "server.address",
  serverPort: "server.port",
  clientAddress: "client.address",
  networkProtocolVersion: "network.protocol.version",
  userAgent: "user_agent.original",
  errorType: "error.type",
  exceptionType: "exception.type",
  exceptionMessage: "exception.message",
  exceptionStacktrace: "exception.stacktrace",
  messagingSystem: "messaging.system",
  messagingDestination: "messaging.destination.name",
  messagingPartition: "messaging.destination.partition.id",
  messagingOperation: "messaging.operation.name",
  messagingOperationType: "messaging.operation.type",
  messagingBatchCount: "messaging.batch.message_count",
  messagingKafkaOffset: "messaging.kafka.offset",
  messagingConsumerGroup: "messaging.consumer.group.name",
  /** Set by libraries; kept in summaries, because a database answers no call with a span. */
  databaseSystem: "db.system.name",
  /** Its name before version 1.30. */
  databaseSystemBefore: "db.system",
  serviceName: "service.name",
  serviceInstanceId: "service.instance.id",
  hostName: "host.name",
  processId: "process.pid",
  processRuntimeName: "process.runtime.name",
  processRuntimeVersion: "process.runtime.version",
  sdkName: "telemetry.sdk.name",
  sdkLanguage: "telemetry.sdk.language",
  sdkVersion: "telemetry.sdk.version",
} as const;

/** Prometheus names of what a service's own `/metrics` adds (docs/metrics.md). */
export const METRIC = {
  serverExpectedErrors: "clew_http_server_expected_errors_total",
  clientExpectedErrors: "clew_http_client_expected_errors_total",
  networkReceivedBytes: "clew_network_received_bytes_total",
  networkSentBytes: "clew_network_sent_bytes_total",
  healthCheckUp: "clew_health_check_up",
  breakerState: "clew_breaker_state",
  breakerTrips: "clew_breaker_trips_total",
  breakerRejections: "clew_breaker_rejections_total",
  breakerTimeouts: "clew_breaker_timeouts_total",
  breakerFallbacks: "clew_breaker_fallbacks_total",
  breakerSuccesses: "clew_breaker_successes_total",
  breakerFailures: "clew_breaker_failures_total",
  madeRecords: "clew_instrumentation_made_records_total",
  deliveredRecords: "clew_instrumentation_delivered_records_total",
  refusedRecords: "clew_instrumentation_refused_records_total",
  droppedRecords: "clew_instrumentation_dropped_records_total",
  resentRequests: "clew_instrumentation_resent_requests_total",
  waitingBytes: "clew_instrumentation_waiting_bytes",
  faults: "clew_instrumentation_faults_total",
  mintedTransactions: "clew_instrumentation_minted_transactions_total",
  rejectedTransactions: "clew_instrumentation_rejected_transaction_ids_total",
} as const;

/** Prometheus names that are not ours: semantic conventions' and prom-client's. */
export const PROMETHEUS = {
  serverDuration: "http_server_request_duration_seconds",
  clientDuration: "http_client_request_duration_seconds",
  targetInfo: "target_info",
  gcDuration: "nodejs_gc_duration_seconds",
  loopLagMin: "nodejs_eventloop_lag_min_seconds",
  loopLagMax: "nodejs_eventloop_lag_max_seconds",
  loopLagMean: "nodejs_eventloop_lag_mean_seconds",
  loopLagP50: "nodejs_eventloop_lag_p50_seconds",
  loopLagP90: "nodejs_eventloop_lag_p90_seconds",
  loopLagP99: "nodejs_eventloop_lag_p99_seconds",
} as const;

/** Prometheus labels. */
export const LABEL = {
  method: "http_request_method",
  route: "http_route",
  statusCode: "http_response_status_code",
  errorType: "error_type",
  serverAddress: "server_address",
  serverPort: "server_port",
  serviceName: "service_name",
  serviceInstanceId: "service_instance_id",
  runId: "clew_run_id",
} as const;

/** Top-level key of the transaction ID in JSON log lines and in the store. */
export const LOG_FIELD_TRANSACTION_ID = "transaction_id";

/** A transaction ID that is accepted; anything else is replaced by a new one. */
export const TRANSACTION_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
