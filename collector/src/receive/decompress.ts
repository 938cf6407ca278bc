import {
  createGunzip,
  createZstdDecompress,
  type Gunzip,
  type ZstdDecompress,
  constants as zlibConstants,
} from "node:zlib";
import { ClewError } from "../errors.ts";
import type { Reservation } from "./in-flight-bytes.ts";
import { tooLarge } from "./request-body.ts";

export type ContentEncoding = "identity" | "gzip" | "zstd";

/** RFC 9659 §3: a Zstandard content coding has a window of 8 MiB at most. */
const ZSTD_WINDOW_LOG_MAX = 23;
/** Frames (zstd) that one body may be made of. */
const FRAMES_MAX = 1000;
/** Output is fetched in pieces of about what it will be, for each piece is a trip to a thread. */
const EXPECTED_RATIO = 8;
const PIECE_BYTES_MIN = 16 * 1024;
const PIECE_BYTES_MAX = 1024 * 1024;

/**
 * The body without its compression. Output is reserved piece by piece while it grows, so that no
 * bomb inflates past the limit of one request nor past what may be in flight.
 *
 * @throws ClewError REQUEST_TOO_LARGE, BUS_OVERLOADED; REQUEST_MALFORMED where it is cut off or
 * corrupt.
 */
export async function decompress(request: {
  body: Buffer;
  encoding: ContentEncoding;
  maxBytes: number;
  reservation: Reservation;
}): Promise<Buffer> {
  const { body, encoding } = request;
  if (encoding === "identity") return body;
  const output = new BoundedOutput(request.maxBytes, request.reservation);
  let consumed = 0;
  for (let frame = 0; frame === 0 || consumed < body.length; frame++) {
    if (frame === FRAMES_MAX) throw corrupt(encoding, `it has more than ${FRAMES_MAX} frames`);
    // Node's zstd stream ends after the first of several frames and says nothing of the rest
    // (https://github.com/nodejs/node/issues/64741); what it consumed tells where the next begins.
    consumed += await decompressFrame(body.subarray(consumed), encoding, output);
  }
  request.reservation.shrink(body.length);
  return output.concat();
}

class BoundedOutput {
  private readonly pieces: Buffer[] = [];
  private readonly maxBytes: number;
  private readonly reservation: Reservation;
  private bytes = 0;

  constructor(maxBytes: number, reservation: Reservation) {
    this.maxBytes = maxBytes;
    this.reservation = reservation;
  }

  add(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.bytes > this.maxBytes) throw tooLarge(this.maxBytes);
    this.reservation.grow(piece.length);
    this.pieces.push(piece);
  }

  concat(): Buffer {
    return this.pieces.length === 1 ? (this.pieces[0] as Buffer) : Buffer.concat(this.pieces);
  }
}

/** How many bytes of `body` the frame was. */
async function decompressFrame(
  body: Buffer,
  encoding: "gzip" | "zstd",
  output: BoundedOutput,
): Promise<number> {
  const stream = createDecompressor(encoding, body.length);
  stream.end(body);
  try {
    for await (const piece of stream) output.add(piece as Buffer);
  } catch (cause) {
    if (cause instanceof ClewError) throw cause;
    throw corrupt(encoding, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const consumed = stream.bytesWritten;
  if (consumed === 0) throw corrupt(encoding, "it holds nothing");
  return consumed;
}

function createDecompressor(encoding: "gzip" | "zstd", bodyBytes: number): Gunzip | ZstdDecompress {
  const expected = bodyBytes * EXPECTED_RATIO;
  const chunkSize = Math.max(PIECE_BYTES_MIN, Math.min(PIECE_BYTES_MAX, expected));
  if (encoding === "gzip") return createGunzip({ chunkSize });
  const params = { [zlibConstants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
  return createZstdDecompress({ chunkSize, params });
}

function corrupt(encoding: ContentEncoding, why: string, cause?: unknown): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot decompress the body (${encoding}): ${why}`, {
    cause,
  });
}
