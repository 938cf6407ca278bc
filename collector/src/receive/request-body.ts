import type { IncomingMessage } from "node:http";
import { discard } from "../discard.ts";
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
  if (declared === undefined) return arrive(request, new UndeclaredBody(limits), limits);
  const bytes = Number(declared);
  if (bytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
  limits.reservation.grow(bytes);
  return arrive(request, new DeclaredBody(bytes), limits);
}

/** @returns the refusal of a body, as sent or as decompressed, that is over the limit. */
export function tooLarge(maxBytes: number): ClewError {
  return new ClewError(
    "REQUEST_TOO_LARGE",
    `cannot take the request: its body is larger than ${maxBytes} bytes`,
  );
}

/** @returns the refusal of a body or message that did not arrive in time. */
export function timedOut(timeoutMs: number): ClewError {
  return new ClewError(
    "REQUEST_TIMEOUT",
    `cannot take the request: its body did not arrive within ${timeoutMs} ms`,
  );
}

interface ArrivingBody {
  /** @throws ClewError where it cannot be held. */
  add(chunk: Buffer): void;
  whole(): Buffer;
}

async function arrive(
  request: IncomingMessage,
  body: ArrivingBody,
  { timeoutMs }: BodyLimits,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let isWhole = false;
  const onData = (chunk: Buffer): void => {
    try {
      body.add(chunk);
    } catch (cause) {
      reject(cause);
    }
  };
  const onEnd = (): void => {
    isWhole = true;
    resolve(body.whole());
  };
  // It closes after its end too, where an error would be made for nobody.
  const onClose = (): void => {
    if (!isWhole) reject(cutOff());
  };
  const timer = setTimeout(() => reject(timedOut(timeoutMs)), timeoutMs);
  request.on("data", onData).once("end", onEnd).once("close", onClose).on("error", onClose);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    request.off("data", onData).off("end", onEnd).off("close", onClose);
  }
}

/** Each chunk is copied to its place while the processor has it; Node minds the length. */
class DeclaredBody implements ArrivingBody {
  private readonly bytes: number;
  private buffer: Buffer | undefined;
  private filled = 0;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  add(chunk: Buffer): void {
    if (this.buffer === undefined) {
      const isAll = chunk.length === this.bytes;
      this.buffer = isAll ? chunk : Buffer.allocUnsafeSlow(this.bytes);
      if (isAll) {
        this.filled = chunk.length;
        return;
      }
    }
    chunk.copy(this.buffer, this.filled);
    this.filled += chunk.length;
    if (chunk.buffer.byteLength === chunk.length) discard(chunk);
  }

  whole(): Buffer {
    return this.buffer?.subarray(0, this.filled) ?? Buffer.alloc(0);
  }
}

class UndeclaredBody implements ArrivingBody {
  private readonly limits: BodyLimits;
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(limits: BodyLimits) {
    this.limits = limits;
  }

  add(chunk: Buffer): void {
    const { maxBytes, reservation } = this.limits;
    this.bytes += chunk.length;
    if (this.bytes > maxBytes) throw tooLarge(maxBytes);
    reservation.grow(chunk.length);
    this.chunks.push(chunk);
  }

  whole(): Buffer {
    return this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
  }
}

function cutOff(): ClewError {
  return new ClewError(
    "REQUEST_MALFORMED",
    "cannot take the request: the connection ended within its body",
  );
}
