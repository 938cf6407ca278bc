import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import kafkajs, { CompressionTypes } from "kafkajs";

/** Of one batch that is read; larger than any that a broker takes. */
const UNPACKED_BYTES_MAX = 256 * 1024 * 1024;

const LEVEL_1 = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Gives kafkajs, which has none, the zstd of Node.js, as its documentation asks for. */
export function registerZstd(): void {
  // Node.js does not find this one among the names that kafkajs exports.
  kafkajs.CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: { readonly buffer: Buffer }) => compress(buffer, LEVEL_1),
    decompress: (packed: Buffer) => decompress(packed, { maxOutputLength: UNPACKED_BYTES_MAX }),
  });
}
