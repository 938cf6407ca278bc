import { VARIABLE } from "../config.ts";
import { ClewError } from "../errors.ts";
import type { Bus, BusConsumer, BusLag, OutgoingMessage, Position } from "./bus.ts";

export interface RemoteBusOptions {
  readonly bus: Bus;
  /** The data directory's, given back after the bus has stopped. */
  readonly lock: { release(): void };
  /** 0: no limit. */
  readonly diskLimitBytes: number;
  /** Of the store in the data directory. */
  readonly storeBytes: () => number;
}

/**
 * A bus on other machines, whose records are stored in this one's data directory: what the embedded
 * bus does for that directory is done here. It belongs to one process, and what would go beyond
 * `CLEW_DISK_LIMIT` is refused before anybody was told that it was taken.
 */
export class RemoteBus implements Bus {
  readonly #options: RemoteBusOptions;

  constructor(options: RemoteBusOptions) {
    this.#options = options;
  }

  get maxMessageBytes(): number {
    return this.#options.bus.maxMessageBytes;
  }

  get keepsMetrics(): boolean {
    return this.#options.bus.keepsMetrics;
  }

  async publish(message: OutgoingMessage): Promise<Position> {
    this.#keepDiskLimit();
    return this.#options.bus.publish(message);
  }

  openConsumer(from: ReadonlyMap<string, number>): Promise<BusConsumer> {
    return this.#options.bus.openConsumer(from);
  }

  lag(): Promise<BusLag> {
    return this.#options.bus.lag();
  }

  async check(): Promise<void> {
    await this.#options.bus.check();
    this.#keepDiskLimit();
  }

  async stop(): Promise<void> {
    const { bus, lock } = this.#options;
    await bus.stop();
    lock.release();
  }

  #keepDiskLimit(): void {
    const { diskLimitBytes, storeBytes } = this.#options;
    if (diskLimitBytes === 0 || storeBytes() < diskLimitBytes) return;
    const why = `the data has reached ${VARIABLE.diskLimit} (${diskLimitBytes} bytes)`;
    throw new ClewError("BUS_DISK_FULL", `cannot publish: ${why}`);
  }
}
