import { REPORT } from "@clew/instrumentation/names";
import type { RunReport } from "../../record.ts";
import { formatRunReport } from "../embedded/run-report-row.ts";
import { toRfc3339 } from "../embedded/stored-record.ts";
import { storedTimeNs } from "./json-time.ts";

/** What the record of a run report says besides, as fields of `clew`, with a comma in front. */
export function reportFields(report: RunReport): string {
  const { runId, service, figures, isFinal, firstSeenNs, lastSeenNs } = report;
  const made = figures[REPORT.logsEmitted];
  const run = {
    id: runId,
    service: service.toWellFormed(),
    made: typeof made === "number" && Number.isFinite(made) ? made : 0,
    ...(isFinal && { final: true }),
    first_seen: toRfc3339(storedTimeNs(firstSeenNs)),
    last_seen: toRfc3339(storedTimeNs(lastSeenNs)),
    report: formatRunReport(report),
  };
  return `,"report":true,"run":${JSON.stringify(run)}`;
}
