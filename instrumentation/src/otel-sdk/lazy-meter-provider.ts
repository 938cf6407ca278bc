import { clearTimeout, setTimeout } from "node:timers";
import {
  createNoopMeter,
  type Meter,
  type MeterOptions,
  type MeterProvider,
} from "@opentelemetry/api";
import { countFault } from "../stats.ts";

/**
 * Loads the SDK's metrics when somebody first asks for a meter: a service that has none pays
 * nothing for them.
 */
export class LazyMeterProvider implements MeterProvider {
  readonly #load: () => MeterProvider;
  #loaded: MeterProvider | undefined;
  #isStopped = false;

  constructor(load: () => MeterProvider) {
    this.#load = load;
  }

  getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    return this.start().getMeter(name, version, options);
  }

  /** Loads it now. Where that fails, meters do nothing. */
  start(): MeterProvider {
    if (this.#loaded !== undefined) return this.#loaded;
    try {
      this.#loaded = this.#load();
    } catch (error) {
      countFault("otel-sdk", error);
      this.#loaded = { getMeter: () => createNoopMeter() };
    }
    return this.#loaded;
  }

  /** Whether anything may have been measured that was not sent yet. */
  get isPending(): boolean {
    return this.#loaded !== undefined && !this.#isStopped;
  }

  /**
   * Sends what was measured since the last time. Where that does not succeed in time, measuring
   * ends: the SDK's reader would try again for as long as its own attempts keep the process alive.
   */
  async flush(deadlineMs: number): Promise<void> {
    const over = Promise.withResolvers<false>();
    const timer = setTimeout(() => over.resolve(false), deadlineMs);
    const isSent = await Promise.race([this.#call("forceFlush"), over.promise]);
    clearTimeout(timer);
    if (isSent || this.#isStopped) return;
    this.#isStopped = true;
    void this.#call("shutdown");
  }

  /** The API's interface knows nothing of the end; the SDK's provider does. */
  async #call(name: "forceFlush" | "shutdown"): Promise<boolean> {
    const method: unknown =
      this.#loaded === undefined ? undefined : Reflect.get(this.#loaded, name);
    if (typeof method !== "function") return true;
    try {
      await method.call(this.#loaded);
      return true;
    } catch (error) {
      countFault("otel-sdk", error);
      return false;
    }
  }
}
