import type { SpanContext, TraceState } from "@opentelemetry/api";

/** W3C Trace Context level 1. `traceparent`: version "-" trace-id "-" parent-id "-" flags. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const TRACEPARENT_BYTES_MAX = 512;
const ZERO_TRACE = "0".repeat(32);
const ZERO_SPAN = "0".repeat(16);

/** §3.3.1: at most 32 list-members; 512 characters must be passed on, and no more is here. */
const TRACESTATE_MEMBERS_MAX = 32;
const TRACESTATE_BYTES_MAX = 512;
const STATE_KEY =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
const STATE_VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

export const SAMPLED = 1;

/**
 * The caller's span as `traceparent` and `tracestate` name it, or undefined where traceparent is
 * missing or malformed (§4.3: then a new trace starts and tracestate is ignored).
 */
export function findSpanContext(
  traceparent: unknown,
  tracestate: unknown,
): SpanContext | undefined {
  if (typeof traceparent !== "string" || traceparent.length > TRACEPARENT_BYTES_MAX) {
    return undefined;
  }
  const match = TRACEPARENT.exec(traceparent.trim());
  if (match === null) return undefined;
  const [, version, traceId, spanId, flags, rest] = match;
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  // Version ff is forbidden, and version 00 ends after the flags; a later one may go on.
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (traceId === ZERO_TRACE || spanId === ZERO_SPAN) return undefined;
  const state = parseTraceState(tracestate);
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & SAMPLED,
    isRemote: true,
    ...(state === undefined ? {} : { traceState: state }),
  };
}

export function formatTraceparent(span: SpanContext): string {
  return `00-${span.traceId}-${span.spanId}-0${(span.traceFlags & SAMPLED).toString(16)}`;
}

/** A tracestate that breaks the grammar anywhere is left out whole (§3.3.1.5). */
function parseTraceState(header: unknown): TraceState | undefined {
  const text = Array.isArray(header) ? header.join(",") : header;
  if (typeof text !== "string" || text === "" || text.length > TRACESTATE_BYTES_MAX) {
    return undefined;
  }
  const members = new Map<string, string>();
  for (const part of text.split(",")) {
    const member = part.trim();
    if (member === "") continue;
    const equals = member.indexOf("=");
    const key = member.slice(0, Math.max(0, equals));
    const value = member.slice(equals + 1);
    if (!STATE_KEY.test(key) || !STATE_VALUE.test(value) || members.has(key)) return undefined;
    members.set(key, value);
  }
  if (members.size === 0 || members.size > TRACESTATE_MEMBERS_MAX) return undefined;
  return new StateMembers(members);
}

class StateMembers implements TraceState {
  readonly #members: ReadonlyMap<string, string>;

  constructor(members: ReadonlyMap<string, string>) {
    this.#members = members;
  }

  get(key: string): string | undefined {
    return this.#members.get(key);
  }

  /** A changed member moves to the front (§3.5). */
  set(key: string, value: string): TraceState {
    const rest = [...this.#members].filter(([name]) => name !== key);
    return new StateMembers(new Map([[key, value], ...rest]));
  }

  unset(key: string): TraceState {
    return new StateMembers(new Map([...this.#members].filter(([name]) => name !== key)));
  }

  serialize(): string {
    return [...this.#members].map(([key, value]) => `${key}=${value}`).join(",");
  }
}
