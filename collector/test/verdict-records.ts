import { ATTRIBUTE } from "@clew/instrumentation/names";
import type { IncomingRecord } from "../src/record.ts";
import { type FixtureAttributes, logRecord, resourceBytes, spanRecord } from "./record-fixtures.ts";
import type { MadeRecord } from "./verdict-world.ts";

/** A simulated record as the indexer would hand it to a store. */
export function toIncomingRecord(made: MadeRecord): IncomingRecord {
  const { run, sequence, transactionId, traceId, spanId, timeNs, durationNs, receivedNs } = made;
  const { runId, service } = run;
  const common = {
    ...{ runId, sequence, transactionId, traceId, spanId, timeNs, receivedNs, service },
    resource: resourceBytes({ "service.name": service, [ATTRIBUTE.runId]: runId }),
    text: made.name,
  };
  if (made.kind === "log") {
    const { isAfterSpan, report, attributes } = made;
    const told = { ...common, numberedNs: timeNs, isAfterSpan, report };
    return logRecord(`${runId}-${sequence}`, { ...told, attributes: withoutReport(attributes) });
  }
  const { parentSpanId, spanKind, attributes, links, isError } = made;
  const sources = attributes[ATTRIBUTE.transactionSources];
  return spanRecord(`${traceId}-${spanId}-s${spanKind}`, {
    ...{ ...common, durationNs, numberedNs: timeNs + durationNs, parentSpanId, spanKind, links },
    ...{ isError, isEntry: parentSpanId === "" || attributes[ATTRIBUTE.transactionStart] === true },
    ...(Array.isArray(sources) && { sourceTransactionIds: sources.map(String) }),
    attributes: { ...attributes, [ATTRIBUTE.spanSequence]: BigInt(sequence) },
  });
}

/** What a report says is decoded already, and nobody reads it from its record. */
function withoutReport(attributes: FixtureAttributes): FixtureAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== true));
}
