import type { IncomingMessage } from "node:http";
import { ClewError } from "../errors.ts";
import type { Reservation } from "./in-flight-bytes.ts";

export interface BodyLimits {
  readonly maxBytes: number;
  /** The whole body must have arrived by then. */
  readonly timeoutMs: number;
  readonly reservation: Reservation;
}

/**
 * The body as sent. Its bytes are reserved before they are held: by `Content-Length` where it is
 * given, else chunk by chunk.
 *
 * @throws ClewError REQUEST_TOO_LARGE, REQUEST_TIMEOUT, BUS_OVERLOADED; REQUEST_MALFORMED where the
 * connection ended first, which nobody is left to read.
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const declared = request.headers["content-length"];
  if (declared !== undefined) {
    const bytes = Number(declared);
    if (bytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
    limits.reservation.grow(bytes);
  }
  const body = new ArrivingBody(limits, declared !== undefined);
  return body.read(request);
}

/** @returns the refusal of a body, as sent or as decompressed, that is over the limit. */
export function tooLarge(maxBytes: number): ClewError {
  return new ClewError(
    "REQUEST_TOO_LARGE",
    `cannot take the request: its body is larger than ${maxBytes} bytes`,
  );
}

class ArrivingBody {
  private readonly limits: BodyLimits;
  private readonly isReserved: boolean;
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(limits: BodyLimits, isReserved: boolean) {
    this.limits = limits;
    this.isReserved = isReserved;
  }

  async read(request: IncomingMessage): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onData = (chunk: Buffer): void => {
      try {
        this.add(chunk);
      } catch (cause) {
        reject(cause);
      }
    };
    const onClose = (): void => reject(cutOff());
    const timer = setTimeout(() => reject(timedOut(this.limits.timeoutMs)), this.limits.timeoutMs);
    request.on("data", onData).once("end", resolve).once("close", onClose).on("error", onClose);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      request.off("data", onData).off("end", resolve).off("close", onClose);
    }
    return this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
  }

  private add(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes > this.limits.maxBytes) throw tooLarge(this.limits.maxBytes);
    if (!this.isReserved) this.limits.reservation.grow(chunk.length);
    this.chunks.push(chunk);
  }
}

function timedOut(timeoutMs: number): ClewError {
  return new ClewError(
    "REQUEST_TIMEOUT",
    `cannot take the request: its body did not arrive within ${timeoutMs} ms`,
  );
}

function cutOff(): ClewError {
  return new ClewError(
    "REQUEST_MALFORMED",
    "cannot take the request: the connection ended within its body",
  );
}
