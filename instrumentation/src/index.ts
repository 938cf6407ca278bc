/** The public entry of `@clew/instrumentation`: what a service's own code may use. */

export type { WatchableBreaker } from "./breaker/breaker-shape.ts";
export { watchBreaker } from "./breaker/watch-breaker.ts";
export { markExpected } from "./expected-error.ts";
export { health } from "./health/health.ts";
export type { HealthCheckOptions, HealthProbe } from "./health/health-check.ts";
export { type InstrumentableHono, instrumentHono } from "./http/frameworks/hono.ts";
export { type InstrumentableKoa, instrumentKoa } from "./http/frameworks/koa.ts";
export { retryOf } from "./kafka/delivery.ts";
export { instrumentKafka } from "./kafka/instrument-kafka.ts";
export { withMessage } from "./kafka/with-message.ts";
export { withMessages } from "./kafka/with-messages.ts";
export { instrumentBunyan } from "./logging/bunyan-logs.ts";
export { instrumentWinston } from "./logging/winston-logs.ts";
export { metrics } from "./metrics/metrics.ts";
export type { MetricsRegistry, OwnMetric } from "./metrics/prometheus-registry.ts";
export type { InstrumentationStats } from "./stats.ts";
export { instrumentationStats } from "./stats.ts";
export { TransactionLogRecordProcessor } from "./tracing/transaction-log-record-processor.ts";
export { TransactionSpanProcessor } from "./tracing/transaction-span-processor.ts";
export { transaction } from "./transaction/transaction.ts";
export { TransactionPropagator } from "./transaction/transaction-propagator.ts";
