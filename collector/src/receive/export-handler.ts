import type { IncomingMessage } from "node:http";
import { mintUuidV7 } from "@clew/instrumentation/transaction-id";
import type { Bus, OutgoingMessage } from "../bus/bus.ts";
import { checkToken } from "../check-token.ts";
import type { Config } from "../config.ts";
import { ClewError, toClewError } from "../errors.ts";
import { createReceiveMetrics, type MetricRegistry, type ReceiveMetrics } from "../metrics.ts";
import { otlpJsonToProtobuf } from "../otlp/otlp-json.ts";
import { walkOtlp } from "../otlp/otlp-walk.ts";
import { decompress } from "./decompress.ts";
import { InFlightBytes, type Reservation } from "./in-flight-bytes.ts";
import { acceptedReply, errorReply, metricsRejectedReply, type Reply } from "./otlp-reply.ts";
import { readBody } from "./request-body.ts";
import { findFormat, parseRequestHead, type RequestHead } from "./request-head.ts";

export interface ExportHandlerOptions {
  readonly config: Pick<Config, "ingestTokens" | "maxRequestBytes" | "maxInFlightBytes">;
  readonly bus: Pick<Bus, "publish">;
  readonly registry: MetricRegistry;
  /** Unix time. */
  readonly nowNs: () => bigint;
  readonly bodyTimeoutMs: number;
  readonly publishTimeoutMs: number;
}

/**
 * Answers OTLP export requests: each is checked as a whole, published as one message, and
 * acknowledged after that.
 */
export class ExportHandler {
  private readonly options: ExportHandlerOptions;
  private readonly inFlight: InFlightBytes;
  private readonly metrics: ReceiveMetrics;

  constructor(options: ExportHandlerOptions) {
    this.options = options;
    this.inFlight = new InFlightBytes(options.config.maxInFlightBytes);
    this.metrics = createReceiveMetrics(options.registry, () => this.inFlight.bytes);
  }

  /** Never rejects: what goes wrong is an answer too. */
  async answer(request: IncomingMessage): Promise<Reply> {
    try {
      const head = parseRequestHead(request);
      checkToken(request.headers.authorization, this.options.config.ingestTokens);
      const reservation = this.inFlight.open();
      try {
        return await this.take({ request, head, reservation });
      } finally {
        reservation.release();
      }
    } catch (thrown) {
      const error = toClewError(thrown);
      this.metrics.refused(error.code);
      return errorReply(findFormat(request.headers) ?? "json", error);
    }
  }

  private async take(exported: Export): Promise<Reply> {
    const { signal, format, isRepeat } = exported.head;
    const value = await this.read(exported);
    const records = walkOtlp(signal, value);
    if (signal === "metrics") {
      return records === 0 ? acceptedReply(format) : metricsRejectedReply(format, records);
    }
    if (records === 0) return acceptedReply(format);
    const headers = {
      requestId: mintUuidV7(),
      part: 0,
      records,
      receivedNs: this.options.nowNs(),
      repeat: isRepeat,
    };
    await this.publish({ topic: signal, headers, value }, exported.reservation);
    this.metrics.accepted(signal, records);
    return acceptedReply(format);
  }

  /** The request as plain protobuf. */
  private async read({ request, head, reservation }: Export): Promise<Buffer> {
    const maxBytes = this.options.config.maxRequestBytes;
    const { signal, format, encoding } = head;
    const timeoutMs = this.options.bodyTimeoutMs;
    const sent = await readBody(request, { maxBytes, timeoutMs, reservation });
    const body = await decompress({ body: sent, encoding, maxBytes, reservation });
    if (format === "protobuf") return body;
    const value = otlpJsonToProtobuf({ signal, json: body, maxBytes });
    reservation.grow(value.length);
    reservation.shrink(body.length);
    return value;
  }

  /**
   * @throws ClewError as `bus.publish` does; BUS_UNAVAILABLE for anything else it throws, so that
   * the sender tries again, and where it takes too long.
   */
  private async publish(message: OutgoingMessage, reservation: Reservation): Promise<void> {
    // The bus holds the bytes until it has answered, even where the sender got its answer before.
    const release = reservation.detach();
    const startedMs = performance.now();
    const published = settle(this.options.bus, message).finally(() => {
      release();
      this.metrics.published((performance.now() - startedMs) / 1000);
    });
    await withDeadline(published, this.options.publishTimeoutMs);
  }
}

interface Export {
  readonly request: IncomingMessage;
  readonly head: RequestHead;
  readonly reservation: Reservation;
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
