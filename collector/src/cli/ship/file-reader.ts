import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import type { Readable, Transform } from "node:stream";
import { crc32, createGunzip, createZstdDecompress } from "node:zlib";
import { ClewError } from "../../errors.ts";
import { type FileKind, findFileKind, HEAD_BYTES } from "./file-kind.ts";
import type { RecordOrigin } from "./line-source.ts";
import { toReadError, whyUnread } from "./read-error.ts";

/** A file that is read once, from its start to its end. */
export interface OpenedFile {
  readonly path: string;
  /** Its text, unpacked. */
  readonly stream: Readable;
  readonly origin: RecordOrigin;
}

const LINE_FEED = 0x0a;
const CHUNK_BYTES = 256 * 1024;
const ID_CHARS = 32;

/**
 * Opens a file to be read once; gzip and zstd are unpacked.
 * @throws ClewError CONFIG_INVALID: no such file, a folder, no text, no right to read it.
 */
export async function openFile(name: string): Promise<OpenedFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(name, constants.O_RDONLY);
    const stats = await handle.stat({ bigint: true });
    const head = await readHead(handle, stats);
    const kind = findFileKind(head);
    if (kind === "binary") throw new ClewError("CONFIG_INVALID", whyUnread({ file: name, kind }));
    const packed = handle.createReadStream({ highWaterMark: CHUNK_BYTES, autoClose: true });
    return { path: name, stream: unpack(packed, kind), origin: originOf({ name, stats, head }) };
  } catch (error) {
    await handle?.close();
    throw toReadError(error, name);
  }
}

/** Only a file can be read at its start without losing what is read. */
async function readHead(handle: FileHandle, stats: BigIntStats): Promise<Buffer> {
  if (stats.isDirectory()) throw Object.assign(new Error("it is a folder"), { code: "EISDIR" });
  if (!stats.isFile()) return Buffer.alloc(0);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}

function unpack(packed: Readable, kind: FileKind): Readable {
  if (kind === "gzip") return through(packed, createGunzip({ chunkSize: CHUNK_BYTES }));
  if (kind === "zstd") return through(packed, createZstdDecompress({ chunkSize: CHUNK_BYTES }));
  return packed;
}

/** The file is closed however the reading ends. */
function through(packed: Readable, unpacking: Transform): Readable {
  packed.once("error", (error) => unpacking.destroy(error));
  unpacking.once("close", () => packed.destroy());
  return packed.pipe(unpacking);
}

/**
 * The uid of a line is made of the machine, the file, its first line, the line's place and the
 * line's text: whoever ships the same file twice finds each line in the store once, and a line that
 * was not there before is never taken for another.
 */
function originOf(file: { name: string; stats: BigIntStats; head: Buffer }): RecordOrigin {
  const { name, stats, head } = file;
  const lineEnd = head.indexOf(LINE_FEED);
  const id = createHash("sha256")
    .update(`${hostname()}\0${stats.dev}\0${stats.ino}\0${stats.birthtimeNs}\0`)
    .update(lineEnd < 0 ? head : head.subarray(0, lineEnd))
    .digest("hex")
    .slice(0, ID_CHARS);
  return {
    file: resolve(name),
    uidOf: ({ start, text }) => `${id}-${start}-${crc32(text).toString(16)}`,
    repeatsBefore: Number.POSITIVE_INFINITY,
    isTracked: false,
  };
}
