import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from "@opentelemetry/api";
import { trace } from "@opentelemetry/api";
import { isBorrowedCall } from "../tracing/borrowing-api-tracer.ts";
import { findSpanContext, formatTraceparent } from "../tracing/trace-context.ts";
import { HEADER } from "../wire-names.ts";
import { parseBaggage } from "./baggage.ts";
import { TransactionContext } from "./transaction-context.ts";
import { TransactionPropagator } from "./transaction-propagator.ts";

/**
 * What `propagation.inject()` and `extract()` of the API do in a registered service: W3C trace
 * context, baggage and the transaction ID together, in one header each.
 */
export class ServicePropagator implements TextMapPropagator {
  readonly #transactions = new TransactionPropagator();

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    if (isBorrowedCall(context)) return;
    const span = trace.getSpanContext(context);
    if (span !== undefined) {
      setter.set(carrier, HEADER.traceparent, formatTraceparent(span));
      const state = span.traceState?.serialize() ?? "";
      if (state !== "") setter.set(carrier, HEADER.tracestate, state);
    }
    this.#transactions.inject(context, carrier, setter);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const get = (name: string) => {
      const value = getter.get(carrier, name);
      return Array.isArray(value) ? value.join(",") : value;
    };
    let extracted = TransactionContext.from(context);
    const span = findSpanContext(get(HEADER.traceparent), get(HEADER.tracestate));
    if (span !== undefined) extracted = extracted.with({ span: trace.wrapSpanContext(span) });
    const { others } = parseBaggage(get(HEADER.baggage));
    if (others !== undefined) extracted = extracted.with({ baggage: others });
    return this.#transactions.extract(extracted, carrier, getter);
  }

  fields(): string[] {
    return [HEADER.traceparent, HEADER.tracestate, ...this.#transactions.fields()];
  }
}
