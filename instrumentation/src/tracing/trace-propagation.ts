import type { SpanContext } from "@opentelemetry/api";
import { sharedState } from "../shared-state.ts";
import { HEADER } from "../wire-names.ts";
import { findSpanContext, formatTraceparent } from "./trace-context.ts";

type Headers = Readonly<Record<string, unknown>>;
type SetHeader = (name: string, value: string) => void;

/** How a trace goes from one service to the next, where `OTEL_PROPAGATORS` says how. */
export interface TracePropagation {
  /** Whether the `baggage` header is read and written. */
  readonly passesBaggage: boolean;
  /** The caller's span, from headers by their lower-case names. */
  find(headers: Headers): SpanContext | undefined;
  /** Names a span to the next service. */
  write(span: SpanContext, set: SetHeader): void;
}

/** W3C Trace Context and W3C Baggage: what everybody has who says nothing. */
const W3C: TracePropagation = {
  passesBaggage: true,
  find: (headers) => findSpanContext(headers[HEADER.traceparent], headers[HEADER.tracestate]),
  write: (span, set) => {
    set(HEADER.traceparent, formatTraceparent(span));
    const state = span.traceState?.serialize() ?? "";
    if (state !== "") set(HEADER.tracestate, state);
  },
};

const held = sharedState("propagation", () => ({ current: W3C }));

/** The propagation that hooks of requests and messages use. */
export function tracePropagation(): TracePropagation {
  return held.current;
}

export function setTracePropagation(propagation: TracePropagation): void {
  held.current = propagation;
}
