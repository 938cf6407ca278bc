/** The public entry of `@clew/instrumentation`: what a service's own code may use. */

export { markExpected } from "./expected-error.ts";
export { withMessage } from "./kafka/consumer.ts";
export { instrumentKafka } from "./kafka/instrument-kafka.ts";
export type { InstrumentationStats } from "./stats.ts";
export { instrumentationStats } from "./stats.ts";
export { TransactionSpanProcessor } from "./tracing/transaction-span-processor.ts";
export { transaction } from "./transaction/transaction.ts";
export { TransactionPropagator } from "./transaction/transaction-propagator.ts";
