import type { Link } from "@opentelemetry/api";
import { isTransactionId } from "../transaction/transaction-id.ts";
import { HEADER } from "../wire-names.ts";
import type { KnownHeaders } from "./kafka-shapes.ts";

/** Where the context keeps the sources of what is produced in it. */
export const SOURCES_KEY = Symbol.for("clew.kafka.sources");

/** So many IDs travel in the header of each message made from them: 4 KiB at the most. */
export const SOURCES_MAX = 64;

/** The transactions that a fan-in message is made from. */
export interface MergedSources {
  /** The first `SOURCES_MAX` of them. */
  readonly ids: readonly string[];
  readonly total: number;
  /** To the spans that sent the messages. */
  readonly senders: readonly Link[];
}

/** `id,id,…`: no ID can hold a comma. */
export function formatSources(ids: readonly string[]): string {
  return ids.slice(0, SOURCES_MAX).join(",");
}

/** The sources that a received message names; what is no transaction ID is left out. */
export function readSources(headers: KnownHeaders): string[] {
  const text = headers[HEADER.transactionSources];
  if (text === undefined) return [];
  return text
    .split(",", SOURCES_MAX)
    .map((id) => id.trim())
    .filter(isTransactionId);
}
