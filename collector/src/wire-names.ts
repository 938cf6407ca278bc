/** Names on the wire that only the collector has; others are in `@clew/instrumentation/names`. */

/** Prometheus metric names; what each counts is said where it is registered. */
export const METRIC = {
  acceptedRecords: "clew_receive_accepted_records_total",
  tooLargeRecords: "clew_receive_too_large_records_total",
  refusedRequests: "clew_receive_refused_requests_total",
  inFlightBytes: "clew_receive_in_flight_bytes",
  indexedRecords: "clew_index_records_total",
  deadLetters: "clew_dead_letters_total",
  busLagRecords: "clew_bus_lag_records",
  busLagSeconds: "clew_bus_lag_seconds",
  busPublishSeconds: "clew_bus_publish_seconds",
  indexExistingRecords: "clew_index_existing_records_total",
  indexBusySeconds: "clew_index_busy_seconds_total",
  indexRestarts: "clew_index_restarts_total",
  indexIgnoredTransactionIds: "clew_index_ignored_transaction_ids_total",
  elasticsearchRequests: "clew_elasticsearch_bulk_requests_total",
  elasticsearchBytes: "clew_elasticsearch_bulk_bytes_total",
  elasticsearchRepeats: "clew_elasticsearch_bulk_repeats_total",
  elasticsearchInFlight: "clew_elasticsearch_bulk_in_flight",
  elasticsearchWantedBytes: "clew_elasticsearch_bulk_wanted_bytes",
  scrapeTargets: "clew_scrape_targets",
  syslogMessages: "clew_syslog_messages_total",
  syslogMarkedMessages: "clew_syslog_marked_messages_total",
  syslogDroppedMessages: "clew_syslog_dropped_messages_total",
  syslogConnections: "clew_syslog_connections",
  syslogRefusedConnections: "clew_syslog_refused_connections_total",
  syslogWaitingBytes: "clew_syslog_waiting_bytes",
} as const;

/** Headers of the messages in Kafka's topics (layout: bus/kafka/kafka-headers.ts). */
export const KAFKA_HEADER = {
  requestId: "clew.request.id",
  part: "clew.part",
  records: "clew.records",
  received: "clew.received",
  repeat: "clew.repeat",
  recordId: "clew.record.id",
  replayed: "clew.replayed",
} as const;

/** What a commit of the consumer group carries (layout: bus/kafka/kafka-repeat-windows.ts). */
export const KAFKA_COMMIT = {
  repeatBefore: "clew.repeat.before",
} as const;

/**
 * Attributes of OpenTelemetry's semantic conventions that hops are made of: today's name first,
 * then the names of SDKs from before version 1.23.
 */
export const SEMANTIC_ALIASES = {
  httpMethod: ["http.request.method", "http.method"],
  httpRoute: ["http.route"],
  urlPath: ["url.path", "http.target"],
  urlFull: ["url.full", "http.url"],
  httpStatusCode: ["http.response.status_code", "http.status_code"],
  serverAddress: ["server.address", "net.peer.name"],
  peerService: ["peer.service", "service.peer.name"],
  messagingSystem: ["messaging.system"],
  messagingDestination: ["messaging.destination.name", "messaging.destination"],
  messagingOperation: ["messaging.operation.name", "messaging.operation"],
  rpcSystem: ["rpc.system.name", "rpc.system"],
  databaseSystem: ["db.system.name", "db.system"],
  databaseNamespace: ["db.namespace", "db.name"],
  errorType: ["error.type"],
  exceptionMessage: ["exception.message"],
  exceptionStacktrace: ["exception.stacktrace"],
} as const;

/** Attributes of log records that `clew ship` makes (OpenTelemetry semantic conventions). */
export const SHIPPED = {
  logFilePath: "log.file.path",
  /** The index or data stream a document was sent to, by the Collector's name for it. */
  elasticsearchIndex: "elasticsearch.index",
  /** stdout or stderr, of a container's output. */
  logStream: "log.iostream",
} as const;

/**
 * Attributes of log records that came by syslog: the names of appendix A of OpenTelemetry's logs
 * data model where it has them.
 */
export const SYSLOG = {
  facilityCode: "syslog.facility.code",
  facilityName: "syslog.facility.name",
  /** Only where the message says its level itself, otherwise than its header. */
  severityCode: "syslog.severity.code",
  version: "syslog.version",
  procId: "syslog.procid",
  msgId: "syslog.msgid",
  /** Followed by SD-ID and name of a parameter. */
  structuredData: "syslog.structured_data",
  /** Which further piece of a message this is that was too long for one record, from 1. */
  part: "clew.syslog.part",
  /** True where the connection ended within the message. */
  cut: "clew.syslog.cut",
  peerAddress: "network.peer.address",
} as const;

/** `service.name` of the records that the collector makes itself. */
export const OWN_SERVICE = "clew";

/** Attributes of the records that tell what people did with dead letters. */
export const AUDIT = {
  eventName: "event.name",
  actor: "clew.actor",
  reason: "clew.dead_letter.act_reason",
  letterIds: "clew.dead_letter.ids",
  count: "clew.dead_letter.count",
  result: "clew.dead_letter.result",
  transactionId: "clew.dead_letter.transaction_id",
} as const;

/** By act. */
export const AUDIT_EVENT = {
  replayed: "clew.dead_letter.replayed",
  edited: "clew.dead_letter.edited",
  discarded: "clew.dead_letter.discarded",
} as const;
