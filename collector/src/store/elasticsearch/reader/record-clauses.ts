/** What filters ask for, as clauses of Elasticsearch's query language. */
import { SEVERITY_ERROR } from "../../../record.ts";
import type { LogFilter, RecordFilter } from "../../store.ts";
import { FIELD } from "../document-fields.ts";
import type { QueryClause } from "./search-client.ts";
import { formatTime, MAX_NS } from "./time-text.ts";

export function isTerm(field: string, value: string | number | boolean): QueryClause {
  return { term: { [field]: value } };
}

export function isAnyOf(field: string, values: readonly (string | number)[]): QueryClause {
  return { terms: { [field]: [...values] } };
}

export function isNot(clause: QueryClause): QueryClause {
  return { bool: { must_not: [clause] } };
}

export function hasField(field: string): QueryClause {
  return { exists: { field } };
}

/** `fromNs` is inside, `toNs` is not; one that is left out bounds nothing. */
export function isWithin(
  field: string,
  { fromNs, toNs }: { readonly fromNs?: bigint; readonly toNs?: bigint },
): QueryClause[] {
  const bounds = {
    ...(fromNs !== undefined && fromNs > 0n && { gte: formatTime(storable(fromNs)) }),
    ...(toNs !== undefined && toNs <= MAX_NS && { lt: formatTime(toNs < 0n ? 0n : toNs) }),
  };
  return Object.keys(bounds).length === 0 ? [] : [{ range: { [field]: bounds } }];
}

export function recordClauses(filter: RecordFilter): QueryClause[] {
  const { transactionId, kind, eventsOnly, service, minSeverityNumber } = filter;
  return [
    isTerm(FIELD.transactionId, transactionId),
    ...(kind === undefined ? [] : [isTerm(FIELD.kind, kind)]),
    ...(eventsOnly === true ? [isTerm(FIELD.event, true)] : []),
    ...(service === undefined ? [] : [isTerm(FIELD.service, service)]),
    ...(minSeverityNumber === undefined ? [] : [isSevere(minSeverityNumber)]),
  ];
}

/** All but the query. */
export function logClauses(filter: LogFilter): QueryClause[] {
  const { service, minSeverityNumber = 0, withReports } = filter;
  return [
    ...isWithin(FIELD.time, filter),
    ...(service === undefined ? [] : [isTerm(FIELD.service, service)]),
    ...atLeast(minSeverityNumber),
    ...(withReports === true ? [] : [isNot(isTerm(FIELD.report, true))]),
  ];
}

/** Spans have no severity: one that failed is as severe as an error. */
function isSevere(least: number): QueryClause {
  const failed = [isTerm(FIELD.kind, "span"), isTerm(FIELD.error, true)];
  const log = { bool: { filter: [isTerm(FIELD.kind, "log"), ...atLeast(least)] } };
  if (least > SEVERITY_ERROR) return log;
  return { bool: { should: [log, { bool: { filter: failed } }], minimum_should_match: 1 } };
}

/** A log without a severity has none in its document: it counts as 0. */
function atLeast(severityNumber: number): QueryClause[] {
  if (severityNumber <= 0) return [];
  return [{ range: { [FIELD.severityNumber]: { gte: severityNumber } } }];
}

function storable(timeNs: bigint): bigint {
  return timeNs > MAX_NS ? MAX_NS : timeNs;
}
