import { clearTimeout, setTimeout } from "node:timers";
import { EMPTY_CONTEXT, runIn } from "../transaction/transaction-context.ts";

/** `unknown` until it has run for the first time. */
export type HealthState = "ok" | "failing" | "unknown";

export interface HealthCheckOptions {
  /** After so long a run counts as failed, and its signal is aborted. 1 ms or more. */
  readonly timeoutMs?: number;
  /** For so long a result is good: asked again within it, the check does not run. */
  readonly intervalMs?: number;
  /** Whether `/readyz` depends on it. */
  readonly critical?: boolean;
}

/** Resolves where all is well, with whatever but `false`; rejects or throws where it is not. */
export type HealthProbe = (signal: AbortSignal) => unknown;

const TIMEOUT_MS = 2000;
const INTERVAL_MS = 5000;
const TIMER_MS_MAX = 2 ** 31 - 1;
/** What a check asks of others is no part of any transaction, and makes no spans. */
const OUTSIDE = EMPTY_CONTEXT.with({ suppressed: true });

/** One check of the service's health: runs when it is asked for, at most once at a time. */
export class HealthCheck {
  readonly name: string;
  readonly isCritical: boolean;
  state: HealthState = "unknown";
  /** Why it fails: what the probe threw. */
  error: unknown;
  /** How long the last run took. */
  durationMs: number | undefined;
  readonly #probe: HealthProbe;
  readonly #timeoutMs: number;
  readonly #intervalMs: number;
  readonly #onChange: (check: HealthCheck) => void;
  #finishedMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  /** True while the probe works, which may be long after its run was given up. */
  #isProbing = false;

  constructor(parts: {
    name: string;
    probe: HealthProbe;
    options: HealthCheckOptions;
    onChange: (check: HealthCheck) => void;
  }) {
    const { timeoutMs, intervalMs, critical = true } = parts.options;
    this.name = parts.name;
    this.isCritical = critical;
    this.#probe = parts.probe;
    this.#timeoutMs = readMs(timeoutMs, TIMEOUT_MS);
    this.#intervalMs = readMs(intervalMs, INTERVAL_MS);
    this.#onChange = parts.onChange;
  }

  /** Resolves once the state is fresh, within the check's time-out. Never rejects. */
  refresh(): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    const isFresh = performance.now() - this.#finishedMs < this.#intervalMs;
    // A probe that still hangs says nothing new, and a second one would hang beside it.
    if (isFresh || this.#isProbing) return Promise.resolve();
    this.#running = runIn(OUTSIDE, () => this.#run()).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const startedMs = performance.now();
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new HealthTimeout(`no answer within ${this.#timeoutMs} ms`);
        abort.abort(error);
        reject(error);
      }, this.#timeoutMs).unref();
    });
    try {
      await Promise.race([this.#ask(abort.signal), timeout]);
      this.#settle("ok", undefined);
    } catch (error) {
      this.#settle("failing", error);
    } finally {
      clearTimeout(timer);
      this.#finishedMs = performance.now();
      this.durationMs = this.#finishedMs - startedMs;
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    this.#isProbing = true;
    try {
      if ((await this.#probe(signal)) === false) throw new Error("the check says false");
    } finally {
      this.#isProbing = false;
    }
  }

  #settle(state: HealthState, error: unknown): void {
    const isChanged = state !== this.state && !(state === "ok" && this.state === "unknown");
    this.state = state;
    this.error = error;
    if (isChanged) this.#onChange(this);
  }
}

/** A number that makes no sense must not make every check fail. */
function readMs(value: number | undefined, fallback: number): number {
  return value !== undefined && value >= 0 ? Math.min(value, TIMER_MS_MAX) : fallback;
}

class HealthTimeout extends Error {
  override readonly name = "HealthTimeout";
  readonly code = "ETIMEDOUT";
}
