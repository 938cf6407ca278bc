import { mintUuidV7 } from "@clew/instrumentation/transaction-id";
import type { Bus, OutgoingMessage } from "../bus/bus.ts";
import type { Config } from "../config.ts";
import { ClewError } from "../errors.ts";
import { createReceiveMetrics, type MetricRegistry, type ReceiveMetrics } from "../metrics.ts";
import type { Signal } from "../otlp/otlp-schema.ts";
import { walkOtlp } from "../otlp/otlp-walk.ts";
import { InFlightBytes, type Reservation } from "./in-flight-bytes.ts";

export interface IntakeOptions {
  readonly config: Pick<Config, "maxInFlightBytes">;
  readonly bus: Pick<Bus, "publish">;
  readonly registry: MetricRegistry;
  /** Unix time. */
  readonly nowNs: () => bigint;
  /** Until the bus has made a request durable; `PUBLISH_TIMEOUT_MS` where absent. */
  readonly publishTimeoutMs?: number;
}

/** One request as its door read it. */
export interface Taken {
  readonly signal: Signal;
  /** An OTLP export request as plain protobuf, not yet checked. */
  readonly value: Buffer;
  /** The sender says that it may have sent these records before. */
  readonly isRepeat: boolean;
  /** From `Intake.open`; holds the bytes of `value`. */
  readonly reservation: Reservation;
}

/** What became of the records (or metric points) of a request that was well formed. */
export interface Outcome {
  /** Durable now. */
  readonly accepted: number;
  /** Not kept, and never will be; `reason` says why. */
  readonly rejected: number;
  readonly reason: string;
}

/** Promise 1: whoever waits for longer is told 503. */
const PUBLISH_TIMEOUT_MS = 5_000;
const METRICS_REFUSED =
  "this version takes no metrics: let Prometheus scrape them, or send them to it over OTLP";

/**
 * What all doors share: the bytes that may be in flight, the check of a request as a whole, its
 * publication under an id minted at receipt, and the deadline of that.
 */
export class Intake {
  private readonly options: IntakeOptions;
  private readonly inFlight: InFlightBytes;
  private readonly metrics: ReceiveMetrics;

  constructor(options: IntakeOptions) {
    this.options = options;
    this.inFlight = new InFlightBytes(options.config.maxInFlightBytes);
    this.metrics = createReceiveMetrics(options.registry, () => this.inFlight.bytes);
  }

  /**
   * Counts a request that begins; its door must release the reservation in the end.
   * @throws ClewError BUS_OVERLOADED
   */
  open(): Reservation {
    return this.inFlight.open();
  }

  /**
   * Resolves once the records are durable.
   * @throws ClewError REQUEST_MALFORMED; as `bus.publish` does; BUS_UNAVAILABLE for anything else
   * it throws, so that the sender tries again, and where it takes too long.
   */
  async take({ signal, value, isRepeat, reservation }: Taken): Promise<Outcome> {
    const records = walkOtlp(signal, value);
    if (records === 0) return { accepted: 0, rejected: 0, reason: "" };
    if (signal === "metrics") return { accepted: 0, rejected: records, reason: METRICS_REFUSED };
    const headers = {
      requestId: mintUuidV7(),
      part: 0,
      records,
      receivedNs: this.options.nowNs(),
      repeat: isRepeat,
    };
    await this.publish({ topic: signal, headers, value }, reservation);
    this.metrics.accepted(signal, records);
    return { accepted: records, rejected: 0, reason: "" };
  }

  /** Counts a request that a door answers with an error. */
  refuse(error: ClewError): void {
    this.metrics.refused(error.code);
  }

  private async publish(message: OutgoingMessage, reservation: Reservation): Promise<void> {
    // The bus holds the bytes until it has answered, even where the sender got its answer before.
    const release = reservation.detach();
    const startedMs = performance.now();
    const published = settle(this.options.bus, message).finally(() => {
      release();
      this.metrics.published((performance.now() - startedMs) / 1000);
    });
    await withDeadline(published, this.options.publishTimeoutMs ?? PUBLISH_TIMEOUT_MS);
  }
}

async function settle(bus: Pick<Bus, "publish">, message: OutgoingMessage): Promise<void> {
  try {
    await bus.publish(message);
  } catch (cause) {
    if (cause instanceof ClewError) throw cause;
    throw unavailable(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

async function withDeadline(published: Promise<void>, timeoutMs: number): Promise<void> {
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const late = unavailable(`the bus took longer than ${timeoutMs} ms`);
  const timer = setTimeout(() => reject(late), timeoutMs);
  try {
    await Promise.race([published, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(why: string, cause?: unknown): ClewError {
  const message = `cannot make the request durable: ${why}`;
  return new ClewError("BUS_UNAVAILABLE", message, { cause });
}
