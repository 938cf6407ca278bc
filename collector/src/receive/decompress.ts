import { promisify } from "node:util";
import {
  createGunzip,
  createInflate,
  createZstdDecompress,
  type Gunzip,
  gunzip,
  gunzipSync,
  type Inflate,
  type ZstdDecompress,
  constants as zlibConstants,
} from "node:zlib";
import { discard } from "../discard.ts";
import { ClewError } from "../errors.ts";
import type { Reservation } from "./in-flight-bytes.ts";
import { tooLarge } from "./request-body.ts";

export const ENCODINGS = ["identity", "gzip", "zstd", "deflate"] as const;
export type ContentEncoding = (typeof ENCODINGS)[number];

/** RFC 9659 §3: a Zstandard content coding has a window of 8 MiB at most. */
const ZSTD_WINDOW_LOG_MAX = 23;
/** Frames (zstd) that one body may be made of. */
const FRAMES_MAX = 1000;
/** Output is fetched in pieces of about what it will be, for each piece is a trip to a thread. */
const EXPECTED_RATIO = 8;
const PIECE_BYTES_MIN = 16 * 1024;
const PIECE_BYTES_MAX = 1024 * 1024;
/** RFC 1952 §2.3: header 10 bytes, trailer CRC32 and ISIZE 8. */
const GZIP_BYTES_MIN = 18;
/** No deflate stream is smaller than its output by more (zlib's "Technical Details"). */
const DEFLATE_RATIO_MAX = 1032;

interface Compressed {
  readonly body: Buffer;
  readonly encoding: ContentEncoding;
  readonly maxBytes: number;
  readonly reservation: Reservation;
}

/**
 * The body without its compression. Output is reserved before it is there, so that no bomb inflates
 * past the limit of one request nor past what may be in flight. `body` may not be used afterwards.
 *
 * @throws ClewError REQUEST_TOO_LARGE, BUS_OVERLOADED; REQUEST_MALFORMED where it is cut off or
 * corrupt.
 */
export async function decompress(compressed: Compressed): Promise<Buffer> {
  const { body, encoding, reservation } = compressed;
  if (encoding === "identity") return body;
  const whole = encoding === "gzip" ? await gunzipAtOnce(compressed) : undefined;
  const output = whole ?? (await decompressInPieces(compressed));
  reservation.shrink(body.length);
  discard(body);
  return output;
}

/**
 * Up to here the event loop does it itself, in 0.2 ms: the way to a thread and back costs 45 µs of
 * CPU. Beyond, both cost the same, and the loop is better free.
 */
const INLINE_BYTES_MAX = 256 * 1024;
const gunzipAsync = promisify(gunzip);

/**
 * A gzip file of one member ends in the length of its output, so one call with one buffer does: a
 * third of the time that pieces take. Undefined where the length is not true, or too large.
 */
async function gunzipAtOnce({ body, maxBytes, reservation }: Compressed) {
  if (body.length < GZIP_BYTES_MIN) return undefined;
  const bytes = body.readUInt32LE(body.length - 4);
  if (bytes === 0 || bytes > maxBytes || bytes > body.length * DEFLATE_RATIO_MAX) return undefined;
  reservation.grow(bytes);
  try {
    // With a byte to spare zlib sees that it is done; without, it would begin another buffer.
    const options = { chunkSize: Math.max(64, bytes + 1), maxOutputLength: bytes };
    if (bytes <= INLINE_BYTES_MAX) return gunzipSync(body, options);
    return await gunzipAsync(body, options);
  } catch {
    // Pieces tell what is wrong, or read it all the same: several members have several lengths.
    reservation.shrink(bytes);
    return undefined;
  }
}

async function decompressInPieces(compressed: Compressed): Promise<Buffer> {
  const { body, encoding } = compressed;
  const output = new BoundedOutput(compressed);
  let consumed = 0;
  for (let frame = 0; frame === 0 || consumed < body.length; frame++) {
    if (frame === FRAMES_MAX) throw corrupt(encoding, `it has more than ${FRAMES_MAX} frames`);
    // Node's zstd stream ends after the first of several frames and says nothing of the rest
    // (https://github.com/nodejs/node/issues/64741); what it consumed tells where the next begins.
    consumed += await decompressFrame(body.subarray(consumed), encoding, output);
  }
  return output.concat();
}

class BoundedOutput {
  private readonly pieces: Buffer[] = [];
  private readonly limits: Pick<Compressed, "maxBytes" | "reservation">;
  private bytes = 0;

  constructor(limits: Pick<Compressed, "maxBytes" | "reservation">) {
    this.limits = limits;
  }

  add(piece: Buffer): void {
    const { maxBytes, reservation } = this.limits;
    this.bytes += piece.length;
    if (this.bytes > maxBytes) throw tooLarge(maxBytes);
    reservation.grow(piece.length);
    this.pieces.push(piece);
  }

  concat(): Buffer {
    return this.pieces.length === 1 ? (this.pieces[0] as Buffer) : Buffer.concat(this.pieces);
  }
}

/** How many bytes of `body` the frame was. */
async function decompressFrame(
  body: Buffer,
  encoding: ContentEncoding,
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

function createDecompressor(
  encoding: ContentEncoding,
  bodyBytes: number,
): Gunzip | Inflate | ZstdDecompress {
  const expected = bodyBytes * EXPECTED_RATIO;
  const chunkSize = Math.max(PIECE_BYTES_MIN, Math.min(PIECE_BYTES_MAX, expected));
  if (encoding === "gzip") return createGunzip({ chunkSize });
  if (encoding === "deflate") return createInflate({ chunkSize });
  const params = { [zlibConstants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
  return createZstdDecompress({ chunkSize, params });
}

function corrupt(encoding: ContentEncoding, why: string, cause?: unknown): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot decompress the body (${encoding}): ${why}`, {
    cause,
  });
}
