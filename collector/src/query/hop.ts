import { ATTRIBUTE } from "@clew/instrumentation/names";
import type { StoredRecord } from "../record.ts";
import { SEMANTIC_ALIASES } from "../wire-names.ts";
import { findRfc3339, formatRfc3339 } from "./rfc3339.ts";

export type HopKind = "http" | "messaging" | "rpc" | "database" | "other";

/** One passage between services, as `GET /transactions/{id}` gives it. */
export interface Hop {
  /** Unique within one answer. */
  readonly id: string;
  /** The hop within which this one was made; null at the entry, or where it is not known. */
  readonly parentId: string | null;
  readonly from: string | null;
  /** The service that answered; where none did, the address or destination that was called. */
  readonly to: string | null;
  readonly kind: HopKind;
  readonly operation: string;
  readonly startedAt: string | null;
  /** As the caller saw it; for messages, how long the consumer worked. */
  readonly durationMs: number;
  /** Messages only: from the end of sending to the start of the consumer's work. */
  readonly waitMs?: number;
  /** How many hops this one call or message made; absent where only this one. */
  readonly fanOut?: number;
  /** How many calls or messages its receiver took at once; absent where only this one. */
  readonly fanIn?: number;
  /** The transactions that the message was made from, where its sender joined several. */
  readonly sources?: readonly string[];
  readonly status: "ok" | "error";
  /** What the failed side said; null where the hop did not fail. */
  readonly error: string | null;
  /** False: no span of the called side is known. */
  readonly answered: boolean;
  readonly traceId: string | null;
  readonly spanId: string | null;
}

/** Two spans that make a hop; at least one of them is known. */
export interface Passage {
  readonly caller: StoredRecord | null;
  readonly entered: StoredRecord | null;
}

export interface DescribedHop extends Omit<Hop, "id" | "parentId"> {
  readonly startedNs: bigint | undefined;
}

const TEXT_CHARS_MAX = 256;
const SOURCES_MAX = 100;
const HTTP_SERVER_ERROR = 500;

export function describeHop(passage: Passage): DescribedHop {
  const { caller, entered } = passage;
  const call = isCall(caller) ? caller : null;
  const main = entered ?? caller;
  const kind = kindOf(passage);
  const startedNs = startOf(call ?? entered ?? caller);
  const failure = failureOf(passage);
  const waitMs = kind === "messaging" && entered ? waitOf(call, entered) : undefined;
  return {
    from: caller?.service ?? null,
    to: entered?.service ?? (call && calledName(call)),
    kind,
    operation: cut(operationOf(passage, kind)),
    startedAt: startedNs === undefined ? null : formatRfc3339(startedNs),
    startedNs,
    durationMs: durationOf(kind === "messaging" ? main : (call ?? main)),
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(call === null ? {} : sourcesOf(call)),
    status: failure === undefined ? "ok" : "error",
    error: failure === undefined ? null : cut(failure),
    answered: entered !== null,
    traceId: main?.traceId ?? null,
    spanId: main?.spanId ?? null,
  };
}

function isCall(record: StoredRecord | null): record is StoredRecord {
  return record?.span?.kind === "client" || record?.span?.kind === "producer";
}

function kindOf({ caller, entered }: Passage): HopKind {
  const kinds = [caller?.span?.kind, entered?.span?.kind];
  const sides = [entered, isCall(caller) ? caller : null];
  const has = (names: readonly string[]) => sides.some((side) => side && attribute(side, names));
  if (kinds.includes("producer") || kinds.includes("consumer")) return "messaging";
  if (has(SEMANTIC_ALIASES.messagingSystem)) return "messaging";
  if (has(SEMANTIC_ALIASES.databaseSystem)) return "database";
  if (has(SEMANTIC_ALIASES.rpcSystem)) return "rpc";
  if (has(SEMANTIC_ALIASES.httpMethod)) return "http";
  return "other";
}

/** `POST /orders/:id`, `process orders`; else the span's own name. */
function operationOf({ caller, entered }: Passage, kind: HopKind): string {
  const call = isCall(caller) ? caller : null;
  const either = (names: readonly string[]) =>
    (entered && attribute(entered, names)) || (call && attribute(call, names)) || undefined;
  const name = entered?.message || call?.message || caller?.message || "";
  if (kind === "http") {
    const method = either(SEMANTIC_ALIASES.httpMethod);
    const path =
      either(SEMANTIC_ALIASES.httpRoute) ??
      pathOf(either(SEMANTIC_ALIASES.urlPath)) ??
      urlPath(call);
    return method && path ? `${method} ${path}` : name;
  }
  if (kind === "messaging") {
    const destination = either(SEMANTIC_ALIASES.messagingDestination);
    const verb = either(SEMANTIC_ALIASES.messagingOperation);
    if (destination) return verb ? `${verb} ${destination}` : destination;
  }
  return name;
}

/** Where a call went that nobody answered in our records. */
function calledName(call: StoredRecord): string | null {
  return (
    attribute(call, SEMANTIC_ALIASES.peerService) ??
    attribute(call, SEMANTIC_ALIASES.messagingDestination) ??
    attribute(call, SEMANTIC_ALIASES.serverAddress) ??
    urlOf(call)?.host ??
    attribute(call, SEMANTIC_ALIASES.databaseNamespace) ??
    attribute(call, SEMANTIC_ALIASES.databaseSystem) ??
    attribute(call, SEMANTIC_ALIASES.messagingSystem) ??
    null
  );
}

function failureOf({ caller, entered }: Passage): string | undefined {
  const sides = [entered, isCall(caller) ? caller : null].filter((side) => side !== null);
  const failed = sides.find((side) => side.span?.status === "error");
  const codes = sides.map((side) => Number(attribute(side, SEMANTIC_ALIASES.httpStatusCode)));
  const code = codes.find((status) => status >= HTTP_SERVER_ERROR);
  if (!failed && code === undefined) return undefined;
  for (const side of failed ? [failed, ...sides] : sides) {
    const said = side.span?.statusMessage || exceptionOf(side);
    if (said) return said;
  }
  const anyCode = code ?? codes.find((status) => status >= 400);
  if (anyCode !== undefined) return `HTTP ${anyCode}`;
  return (
    (failed && attribute(failed, SEMANTIC_ALIASES.errorType)) || "the span says error, not why"
  );
}

function exceptionOf(record: StoredRecord): string | undefined {
  for (const event of record.span?.events ?? []) {
    const message = textOf(event.attributes[SEMANTIC_ALIASES.exceptionMessage[0]]);
    if (message) return message;
  }
  return undefined;
}

/** What the consumer measured itself; else between two clocks, which may differ a little. */
function waitOf(call: StoredRecord | null, entered: StoredRecord): number | undefined {
  const measured = entered.attributes[ATTRIBUTE.queueWaitMs];
  if (typeof measured === "number" && measured >= 0) return measured;
  const sent = startOf(call);
  const taken = startOf(entered);
  if (!call || sent === undefined || taken === undefined) return undefined;
  return Math.max(0, Number(taken - sent) / 1e6 - durationOf(call));
}

function sourcesOf({ attributes }: StoredRecord): Pick<Hop, "sources"> {
  const given = attributes[ATTRIBUTE.transactionSources];
  if (!Array.isArray(given)) return {};
  const sources = given.filter((id): id is string => typeof id === "string" && id !== "");
  return sources.length === 0 ? {} : { sources: sources.slice(0, SOURCES_MAX) };
}

function startOf(record: StoredRecord | null): bigint | undefined {
  return record ? findRfc3339(record.time) : undefined;
}

function durationOf(record: StoredRecord | null): number {
  const durationMs = record?.span?.durationMs ?? 0;
  return Number.isFinite(durationMs) && durationMs > 0 ? durationMs : 0;
}

function attribute(record: StoredRecord, names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = textOf(record.attributes[name]);
    if (text) return text;
  }
  return undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function urlPath(call: StoredRecord | null): string | undefined {
  return call ? urlOf(call)?.pathname : undefined;
}

/** A path's query may hold personal data, and makes operations unlike each other. */
function pathOf(target: string | undefined): string | undefined {
  return target?.split("?", 1)[0];
}

function urlOf(call: StoredRecord): URL | undefined {
  return URL.parse(attribute(call, SEMANTIC_ALIASES.urlFull) ?? "") ?? undefined;
}

function cut(text: string): string {
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX - 1)}…` : text;
}
