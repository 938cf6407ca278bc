import { mintUuidV7 } from "@clew/instrumentation/transaction-id";
import type { Bus, OutgoingMessage } from "../bus/bus.ts";
import type { Config } from "../config.ts";
import { ClewError } from "../errors.ts";
import { MessageDecoder } from "../indexer/message-decoder.ts";
import { TransactionKeys } from "../indexer/transaction-keys.ts";
import { createReceiveMetrics, type MetricRegistry, type ReceiveMetrics } from "../metrics.ts";
import type { Signal } from "../otlp/otlp-schema.ts";
import { walkOtlp } from "../otlp/otlp-walk.ts";
import { InFlightBytes, type Reservation } from "./in-flight-bytes.ts";
import { publishParts } from "./request-parts.ts";

export interface IntakeOptions {
  readonly config: Pick<Config, "maxInFlightBytes" | "transactionKeys">;
  readonly bus: IntakeBus;
  readonly registry: MetricRegistry;
  /** Unix time. */
  readonly nowNs: () => bigint;
  /** Until the bus has made a request durable; `PUBLISH_TIMEOUT_MS` where absent. */
  readonly publishTimeoutMs?: number;
}

/** What of the bus a receiver needs. */
export type IntakeBus = Pick<Bus, "publish" | "maxMessageBytes" | "keepsMetrics">;

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
  /** Durable now, be it as a dead letter. */
  readonly accepted: number;
  /** Not kept, and never will be. */
  readonly rejected: number;
  /** What the sender should know: why records were rejected, or are dead letters; mostly empty. */
  readonly reason: string;
}

/** Promise 1: whoever waits for longer is told 503. */
const PUBLISH_TIMEOUT_MS = 5_000;
const METRICS_REFUSED =
  "the embedded bus keeps no metrics: let Prometheus scrape them, or send them to it over OTLP";

/**
 * What all doors share: the bytes that may be in flight, the check of a request as a whole, its
 * publication under an id minted at receipt, and the deadline of that.
 */
export class Intake {
  private readonly options: IntakeOptions;
  private readonly inFlight: InFlightBytes;
  private readonly metrics: ReceiveMetrics;
  /** Of records that are too large for the bus. */
  private readonly decoder: MessageDecoder;

  constructor(options: IntakeOptions) {
    this.options = options;
    this.inFlight = new InFlightBytes(options.config.maxInFlightBytes);
    this.metrics = createReceiveMetrics(options.registry, () => this.inFlight.bytes);
    this.decoder = new MessageDecoder(new TransactionKeys(options.config.transactionKeys));
  }

  /**
   * Counts a request that begins; its door must release the reservation in the end.
   * @throws ClewError BUS_OVERLOADED
   */
  open(): Reservation {
    return this.inFlight.open();
  }

  /**
   * Resolves once the records are durable: as one message, or as several where they are more than
   * one may hold.
   * @throws ClewError REQUEST_MALFORMED; as `bus.publish` does; BUS_UNAVAILABLE for anything else
   * it throws, so that the sender tries again, and where it takes too long.
   */
  async take({ signal, value, isRepeat, reservation }: Taken): Promise<Outcome> {
    const records = walkOtlp(signal, value);
    if (records === 0) return { accepted: 0, rejected: 0, reason: "" };
    const { bus, nowNs } = this.options;
    if (signal === "metrics" && !bus.keepsMetrics) {
      return { accepted: 0, rejected: records, reason: METRICS_REFUSED };
    }
    const headers = { requestId: mintUuidV7(), receivedNs: nowNs(), repeat: isRepeat };
    const { maxMessageBytes } = bus;
    if (value.length > maxMessageBytes) {
      const reason = await this.publishLarge({ signal, value, headers, reservation });
      this.metrics.accepted(signal, records);
      return { accepted: records, rejected: 0, reason };
    }
    const message = { topic: signal, headers: { ...headers, part: 0, records }, value };
    await this.settle(reservation, () => publish(bus, message));
    this.metrics.accepted(signal, records);
    return { accepted: records, rejected: 0, reason: "" };
  }

  /** Counts a request that a door answers with an error. */
  refuse(error: ClewError): void {
    this.metrics.refused(error.code);
  }

  /** Answers what the sender should know of it. */
  private async publishLarge(request: {
    signal: Signal;
    value: Buffer;
    headers: Omit<OutgoingMessage["headers"], "part" | "records">;
    reservation: Reservation;
  }): Promise<string> {
    const { bus } = this.options;
    const { maxMessageBytes } = bus;
    // The parts are copies, held beside the request until the bus has them.
    request.reservation.grow(request.value.length);
    let tooLarge = 0;
    const onTooLarge = (records: number) => {
      tooLarge += records;
    };
    const large = { ...request, maxMessageBytes, decoder: this.decoder, onTooLarge };
    await this.settle(request.reservation, (signal) =>
      publishParts(large, { publish: (message) => publish(bus, message), signal }),
    );
    if (tooLarge === 0) return "";
    this.metrics.tooLarge(tooLarge);
    const limit = `the bus takes ${maxMessageBytes} bytes in one message`;
    return `records kept as dead letters, because they are too large: ${tooLarge} (${limit})`;
  }

  private async settle(
    reservation: Reservation,
    act: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    // The bus holds the bytes until it has answered, even where the sender got its answer before.
    const release = reservation.detach();
    const startedMs = performance.now();
    const late = new AbortController();
    const settled = act(late.signal).finally(() => {
      release();
      this.metrics.published((performance.now() - startedMs) / 1000);
    });
    const timeoutMs = this.options.publishTimeoutMs ?? PUBLISH_TIMEOUT_MS;
    await withDeadline(settled, { timeoutMs, late });
  }
}

async function publish(bus: IntakeBus, message: OutgoingMessage): Promise<void> {
  try {
    await bus.publish(message);
  } catch (cause) {
    // It was not when it was made: the limit was lowered, and sent again it will be split.
    const isTooLargeNow = message.value.length > bus.maxMessageBytes;
    if (isTooLargeNow) throw unavailable("the bus takes smaller messages than before", cause);
    if (cause instanceof ClewError) throw cause;
    throw unavailable(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

async function withDeadline(
  settled: Promise<void>,
  { timeoutMs, late }: { timeoutMs: number; late: AbortController },
): Promise<void> {
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.abort();
    reject(unavailable(`the bus took longer than ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    await Promise.race([settled, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(why: string, cause?: unknown): ClewError {
  const message = `cannot make the request durable: ${why}`;
  return new ClewError("BUS_UNAVAILABLE", message, { cause });
}
