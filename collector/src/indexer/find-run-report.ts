import { ATTRIBUTE, REPORT, SEMANTIC } from "@clew/instrumentation/names";
import type { Attributes, AttributeValue, RunReport } from "../record.ts";
import { decodeAttributes } from "./any-value.ts";
import type { RecordSource } from "./resource-decoder.ts";

/** Attributes of a `LogRecord` and of a `Resource` (field number << 3 | wire type). */
const TAG_LOG_ATTRIBUTES = 0x32;
const TAG_RESOURCE_ATTRIBUTES = 0x0a;

const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
const TEXT_CHARACTERS_MAX = 256;
/** Figures are rewritten with each report; a list of a thousand transaction IDs takes half. */
const FIGURES_CHARACTERS_MAX = 128 * 1024;
const FIGURE_NAMES = Object.values(REPORT);

/**
 * A run's report of itself from its log record. Only these records, one in five seconds per run,
 * are decoded in full.
 *
 * @returns null where the resource names no run: then it is a log record like any other
 */
export function findRunReport(of: {
  readonly payload: Uint8Array;
  readonly timeNs: bigint;
  readonly source: RecordSource;
}): RunReport | null {
  const { payload, timeNs, source } = of;
  const resource = decodeAttributes(source.resource, TAG_RESOURCE_ATTRIBUTES);
  const said = decodeAttributes(payload, TAG_LOG_ATTRIBUTES);
  const runId = textOf(resource[ATTRIBUTE.runId]);
  if (!RUN_ID.test(runId)) return null;
  const pid = resource[SEMANTIC.processId];
  // A clock that is ahead must not keep a run alive that has long ended.
  const seenNs = timeNs < source.receivedNs ? timeNs : source.receivedNs;
  return {
    runId,
    service: source.service,
    instanceId: textOf(resource[SEMANTIC.serviceInstanceId]) || runId,
    host: textOf(resource[SEMANTIC.hostName]),
    pid: typeof pid === "number" ? pid : null,
    firstSeenNs: seenNs,
    lastSeenNs: seenNs,
    isFinal: said[REPORT.final] === true,
    figures: bounded(said),
  };
}

function bounded(said: Attributes): Attributes {
  const figures: Record<string, AttributeValue> = {};
  for (const name of FIGURE_NAMES) {
    const value = said[name];
    if (value !== undefined) figures[name] = value;
  }
  if (isBounded(figures)) return figures;
  delete figures[REPORT.droppedTransactions];
  figures[REPORT.droppedTransactionsCut] = true;
  return isBounded(figures) ? figures : {};
}

function isBounded(figures: Attributes): boolean {
  return JSON.stringify(figures).length <= FIGURES_CHARACTERS_MAX;
}

function textOf(value: AttributeValue | undefined): string {
  return typeof value === "string" ? value.slice(0, TEXT_CHARACTERS_MAX) : "";
}
