import type { LogFilter } from "../store/store.ts";
import { given, type Parameters } from "./parameters.ts";

/** Which logs, as all routes over logs take it: `q`, `service`, `severity` and `reports`. */
export function logFilter(
  parameters: Parameters,
): Pick<LogFilter, "query" | "service" | "minSeverityNumber" | "withReports"> {
  return {
    ...(parameters.oneOf("reports", ["0", "1"]) === "1" ? { withReports: true } : {}),
    ...given("query", parameters.text("q")),
    ...given("service", parameters.text("service")),
    ...given("minSeverityNumber", parameters.severity()),
  };
}
