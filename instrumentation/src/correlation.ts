import { readCorrelationConfig } from "./correlation/config.ts";
import { startCorrelation } from "./correlation/correlation.ts";

export { transaction } from "./transaction/transaction.ts";

/** `import "@clew/instrumentation/correlation"`: IDs only, for programs that must start fast. */
startCorrelation(readCorrelationConfig());
