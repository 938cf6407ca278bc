/** Lets one loop wait until something happens, or some time has passed. */
export class WakeUp {
  #isCalled = false;
  #wake: (() => void) | undefined;

  /** Ends the wait under way, or the next one. */
  call(): void {
    this.#isCalled = true;
    this.#wake?.();
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isCalled && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", this.#abort);
      await promise;
      signal.removeEventListener("abort", this.#abort);
      clearTimeout(timer);
      this.#wake = undefined;
    }
    this.#isCalled = false;
  }

  readonly #abort = () => this.call();
}
