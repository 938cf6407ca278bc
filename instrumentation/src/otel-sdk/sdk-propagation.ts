import {
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from "@opentelemetry/api";
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from "@opentelemetry/core";
import { B3InjectEncoding, B3Propagator } from "@opentelemetry/propagator-b3";
import { isBorrowedCall } from "../tracing/borrowing-api-tracer.ts";
import { setTracePropagation, type TracePropagation } from "../tracing/trace-propagation.ts";
import { ServicePropagator } from "../transaction/service-propagator.ts";
import { TransactionPropagator } from "../transaction/transaction-propagator.ts";
import { HEADER } from "../wire-names.ts";

type Headers = Readonly<Record<string, unknown>>;
type SetHeader = (name: string, value: string) => void;

const GETTER: TextMapGetter<Headers> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, name) => {
    const value = headers[name.toLowerCase()];
    if (Array.isArray(value)) return value.map(String);
    return value === undefined ? undefined : String(value);
  },
};
const SETTER: TextMapSetter<SetHeader> = {
  set: (set, name, value) => set(name.toLowerCase(), value),
};

const FACTORIES: Readonly<Record<string, () => TextMapPropagator>> = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
  b3: () => new B3Propagator(),
  b3multi: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
};

/**
 * What the API propagates: the propagators that `OTEL_PROPAGATORS` names, in its order, and the
 * transaction ID behind them. Our own hooks are told as well.
 *
 * @param names undefined: the default ones
 */
export function createPropagator(names: readonly string[] | undefined): TextMapPropagator {
  if (names === undefined) return new ServicePropagator();
  const passesBaggage = names.includes("baggage");
  setTracePropagation(
    toTracePropagation(createAll(names.filter((name) => name !== "baggage")), passesBaggage),
  );
  const transactions = new TransactionPropagator();
  return exceptForBorrowed(
    new CompositePropagator({
      propagators: [
        ...createAll(names),
        passesBaggage ? transactions : withoutBaggage(transactions),
      ],
    }),
  );
}

/** Leaves the calls out to our hooks that an instrumentation of OpenTelemetry follows as well. */
function exceptForBorrowed(propagator: TextMapPropagator): TextMapPropagator {
  return {
    fields: () => propagator.fields(),
    extract: (context, carrier, getter) => propagator.extract(context, carrier, getter),
    inject: (context, carrier, setter) => {
      if (!isBorrowedCall(context)) propagator.inject(context, carrier, setter);
    },
  };
}

function createAll(names: readonly string[]): TextMapPropagator[] {
  return names.flatMap((name) => FACTORIES[name]?.() ?? []);
}

/** How our own hooks read and write a trace's headers, by the SDK's propagators. */
function toTracePropagation(
  propagators: readonly TextMapPropagator[],
  passesBaggage: boolean,
): TracePropagation {
  return {
    passesBaggage,
    find: (headers) => {
      let context = ROOT_CONTEXT;
      for (const propagator of propagators) context = propagator.extract(context, headers, GETTER);
      return trace.getSpanContext(context);
    },
    write: (span, set) => {
      const context = trace.setSpanContext(ROOT_CONTEXT, span);
      for (const propagator of propagators) propagator.inject(context, set, SETTER);
    },
  };
}

/** The transaction ID in its own header only, for services that are told to send no baggage. */
function withoutBaggage(propagator: TextMapPropagator): TextMapPropagator {
  return {
    fields: () => propagator.fields().filter((field) => field !== HEADER.baggage),
    extract: (context, carrier, getter) =>
      propagator.extract(context, carrier, {
        keys: (from) => getter.keys(from),
        get: (from, name) => (name === HEADER.baggage ? undefined : getter.get(from, name)),
      }),
    inject: (context, carrier, setter) =>
      propagator.inject(context, carrier, {
        set: (into, name, value) => {
          if (name !== HEADER.baggage) setter.set(into, name, value);
        },
      }),
  };
}
