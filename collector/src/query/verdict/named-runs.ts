import { ATTRIBUTE } from "@clew/instrumentation/names";
import type { StoredRecord } from "../../record.ts";
import type { SpanLogCount } from "../../store/ledger.ts";

/** More take part in no transaction that a person could read. */
export const RUNS_PER_TRANSACTION_MAX = 1024;

/** The runs that made records of a transaction, and those that its spans say called or answered. */
export function findNamedRuns(
  spans: readonly StoredRecord[],
  spanLogs: readonly SpanLogCount[],
): string[] {
  const ids = new Set<string>();
  const add = (id: unknown) => {
    if (typeof id === "string" && id !== "") ids.add(id);
  };
  for (const { resource, attributes, span } of spans) {
    add(resource[ATTRIBUTE.runId]);
    add(attributes[ATTRIBUTE.peerRunId]);
    add(attributes[ATTRIBUTE.callerRunId]);
    for (const link of span?.links ?? []) add(link.attributes[ATTRIBUTE.callerRunId]);
  }
  for (const { runId } of spanLogs) add(runId);
  return [...ids];
}
