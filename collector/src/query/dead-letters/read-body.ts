import { ClewError } from "../../errors.ts";

/** An edited record in base64, with room to spare; a list of ids is far smaller. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;

/** @throws ClewError REQUEST_TOO_LARGE */
export async function readBody(request: Request, bytesMax = BODY_BYTES_MAX): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      const why = `it is larger than ${bytesMax} bytes`;
      throw new ClewError("REQUEST_TOO_LARGE", `cannot read the request: ${why}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
