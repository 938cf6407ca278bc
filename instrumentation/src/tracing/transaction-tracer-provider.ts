import type { Tracer, TracerProvider } from "@opentelemetry/api";
import { BorrowingApiTracer, isReplaced } from "./borrowing-api-tracer.ts";
import { type TracerOptions, TransactionTracer } from "./transaction-tracer.ts";

/** Scopes come from code, not from traffic; a bound keeps a mistake there from growing. */
const TRACERS_MAX = 1000;

/** What `trace.getTracer()` answers from once the package is registered. */
export class TransactionTracerProvider implements TracerProvider {
  readonly #options: Omit<TracerOptions, "scope">;
  readonly #tracers = new Map<string, TransactionTracer>();

  constructor(options: Omit<TracerOptions, "scope">) {
    this.#options = options;
  }

  getTracer(name: string, version = ""): Tracer {
    return isReplaced(name) ? new BorrowingApiTracer() : this.tracer(name, version);
  }

  tracer(name: string, version: string): TransactionTracer {
    const key = `${name}\n${version}`;
    const known = this.#tracers.get(key);
    if (known !== undefined) return known;
    const made = new TransactionTracer({ ...this.#options, scope: { name, version } });
    if (this.#tracers.size < TRACERS_MAX) this.#tracers.set(key, made);
    return made;
  }
}
