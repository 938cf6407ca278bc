import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from "@opentelemetry/api";
import { HEADER } from "../wire-names.ts";
import { formatBaggage, parseBaggage } from "./baggage.ts";
import {
  acceptTransaction,
  findContext,
  TRANSACTION_KEY,
  type Transaction,
  TransactionContext,
} from "./transaction-context.ts";

/**
 * The transaction ID for services that run an OpenTelemetry SDK of their own: give it to `NodeSDK`
 * in a `CompositePropagator`, after the W3C ones, because its baggage holds theirs and the ID. What
 * comes in without an ID is left without one: that is for the server's instrumentation to decide.
 */
export class TransactionPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const given = context.getValue(TRANSACTION_KEY) as Transaction | undefined;
    const transaction = given ?? findContext()?.transaction;
    if (transaction === undefined) return;
    setter.set(carrier, HEADER.transactionId, transaction.id);
    const baggage = TransactionContext.from(context).baggage;
    setter.set(carrier, HEADER.baggage, formatBaggage(transaction.id, baggage));
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const baggage = parseBaggage(first(getter.get(carrier, HEADER.baggage)));
    const sent =
      first(getter.get(carrier, HEADER.transactionId)) ??
      first(getter.get(carrier, HEADER.correlationId)) ??
      baggage.transactionId;
    if (sent === undefined) return context;
    return context.setValue(TRANSACTION_KEY, acceptTransaction(sent));
  }

  fields(): string[] {
    return [HEADER.transactionId, HEADER.baggage];
  }
}

/** A header that came twice is no ID: the values are joined, so that it is refused and counted. */
function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}
