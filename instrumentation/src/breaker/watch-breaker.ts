import { isExpectedError } from "../expected-error.ts";
import { describeException } from "../logging/exception.ts";
import { SEVERITY, type Severity } from "../logging/log-record.ts";
import { findRecorder } from "../recorder-holder.ts";
import { sharedState } from "../shared-state.ts";
import { guard } from "../stats.ts";
import { EMPTY_CONTEXT, findContext, runIn } from "../transaction/transaction-context.ts";
import { ATTRIBUTE, EVENT } from "../wire-names.ts";
import { findFilterHolder, type WatchableBreaker } from "./breaker-shape.ts";
import { addWatched, type BreakerCounts, removeWatched } from "./watched-breakers.ts";

const SCOPE = { name: "@clew/instrumentation/breaker", version: "" };

/** Two copies of this package in one process must not watch one breaker twice. */
const known = sharedState("known-breakers", () => new WeakSet());

/**
 * Watches a circuit breaker of opossum: its state, trips, rejections, time-outs and fallbacks are
 * on `/metrics` and in the run reports, and each is an event in the transaction that met it: a log
 * record, and an event of the span. Errors that the breaker's `errorFilter` lets pass, or that were
 * given to `markExpected`, are counted as expected. The breaker itself behaves as before: an error
 * that `markExpected` marked still counts for it, unless its filter says otherwise.
 *
 * Called again for the same breaker, it does nothing. Returns the breaker.
 */
export function watchBreaker<B extends WatchableBreaker>(breaker: B): B {
  if (known.has(breaker)) return breaker;
  known.add(breaker);
  new BreakerWatch(breaker).listen();
  return breaker;
}

/** Of one event: what is said, and how loud. */
interface Told {
  readonly event: string;
  readonly severity: Severity;
  readonly error?: unknown;
}

class BreakerWatch {
  readonly #breaker: WatchableBreaker;
  readonly #name: string;
  readonly #counts: BreakerCounts = {
    ...{ trips: 0, rejections: 0, timeouts: 0, fallbacks: 0, successes: 0 },
    ...{ unexpected: 0, expected: 0 },
  };

  constructor(breaker: WatchableBreaker) {
    this.#breaker = breaker;
    this.#name = addWatched(breaker, this.#counts);
  }

  listen(): void {
    const counts = this.#counts;
    this.#on("open", () => {
      counts.trips++;
      this.#tell({ event: "opened", severity: SEVERITY.warn });
    });
    // A timer that the trip started: by now, its transaction may be long over.
    this.#on("halfOpen", () => {
      runIn(EMPTY_CONTEXT, () => this.#tell({ event: "half-opened", severity: SEVERITY.info }));
    });
    this.#on("close", () => this.#tell({ event: "closed", severity: SEVERITY.info }));
    for (const event of ["reject", "semaphoreLocked"]) {
      this.#on(event, () => {
        counts.rejections++;
        this.#tell({ event: "rejected", severity: SEVERITY.warn });
      });
    }
    this.#on("timeout", (error) => {
      counts.timeouts++;
      this.#tell({ event: "timed-out", severity: SEVERITY.warn, error });
    });
    this.#on("fallback", () => {
      counts.fallbacks++;
      this.#tell({ event: "fallback", severity: SEVERITY.info });
    });
    this.#on("shutdown", () => removeWatched(this.#name));
    this.#countOutcomes();
  }

  /**
   * opossum tells of an error that its filter lets pass as of a success, with the error in the
   * place of the result, right after it asked the filter: so that is asked through a function of
   * ours, which passes on whatever it says or throws.
   */
  #countOutcomes(): void {
    const counts = this.#counts;
    let filtered: { readonly error: unknown } | undefined;
    const holder = findFilterHolder(this.#breaker);
    if (holder !== undefined) {
      const own = holder.errorFilter;
      holder.errorFilter = function (this: unknown, ...args) {
        const isFiltered = own.apply(this, args);
        filtered = isFiltered ? { error: args[0] } : undefined;
        return isFiltered;
      };
    }
    this.#on("success", (result) => {
      if (filtered !== undefined && filtered.error === result) counts.expected++;
      else counts.successes++;
      filtered = undefined;
    });
    this.#on("failure", (error) => {
      if (isExpectedError(error)) counts.expected++;
      else counts.unexpected++;
    });
  }

  #on(event: string, listener: (first: unknown) => void): void {
    this.#breaker.on(event, guard("breaker", listener));
  }

  #tell({ event, severity, error }: Told): void {
    const attributes = {
      [ATTRIBUTE.breakerName]: this.#name,
      [ATTRIBUTE.breakerEvent]: event,
      ...(isExpectedError(error) ? { [ATTRIBUTE.errorExpected]: true } : {}),
    };
    findContext()?.span?.addEvent(EVENT.breaker, attributes);
    const exception = error === undefined ? {} : describeException(error);
    findRecorder()?.log({
      scope: SCOPE,
      severity,
      body: `The breaker ${this.#name} ${SAID[event] ?? event}`,
      attributes: [{ [ATTRIBUTE.eventName]: EVENT.breaker, ...attributes }, exception],
    });
  }
}

const SAID: Readonly<Record<string, string>> = {
  opened: "opened",
  "half-opened": "lets one call through to try",
  closed: "closed",
  rejected: "rejected a call",
  "timed-out": "gave a call up",
  fallback: "answered by its fallback",
};
