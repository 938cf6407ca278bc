/** Names the collector puts on the wire, beside those it shares with `@clew/instrumentation/names`. */

/** Prometheus metric names; what each counts is said where it is registered. */
export const METRIC = {
  acceptedRecords: "clew_receive_accepted_records_total",
  refusedRequests: "clew_receive_refused_requests_total",
  inFlightBytes: "clew_receive_in_flight_bytes",
  indexedRecords: "clew_index_records_total",
  deadLetters: "clew_dead_letters_total",
  busLagRecords: "clew_bus_lag_records",
  busLagSeconds: "clew_bus_lag_seconds",
  busPublishSeconds: "clew_bus_publish_seconds",
} as const;
