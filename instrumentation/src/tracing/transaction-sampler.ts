import type { Sampler } from "./sampler.ts";

/** The value of `OTEL_TRACES_SAMPLER` that decides by the transaction. */
export const TRANSACTION_RATIO = "transaction_ratio";

const HASHES = 2 ** 32;

/**
 * Keeps whole transactions: a span is sampled when the hash of its transaction's ID falls below
 * the ratio. Every service that is given the same ratio keeps the same transactions, and one with
 * a smaller ratio keeps a part of those. What the caller decided for its trace does not count,
 * because a transaction has many traces. Spans outside of any transaction go by their trace ID.
 */
export function createTransactionSampler(ratio: number): Sampler {
  const isKept = createIdSampler(ratio);
  return (traceId, _parent, transactionId) => isKept(transactionId ?? traceId);
}

/** Whether what belongs to an ID is kept. */
export function createIdSampler(ratio: number): (id: string) => boolean {
  const bound = ratio * HASHES;
  return (id) => hashTransactionId(id) < bound;
}

/**
 * MurmurHash3 (x86, 32 bits, seed 0) of the ID's characters, which are ASCII. It is published, has
 * test vectors and exists in every language, so that services without this package can decide the
 * same; and it spreads UUIDv7, whose first half is the time, as well as `order-1`, `order-2`.
 */
export function hashTransactionId(id: string): number {
  const { length } = id;
  const whole = length & ~3;
  let hash = 0;
  for (let i = 0; i < whole; i += 4) {
    hash ^= scramble(
      (id.charCodeAt(i) & 0xff) |
        ((id.charCodeAt(i + 1) & 0xff) << 8) |
        ((id.charCodeAt(i + 2) & 0xff) << 16) |
        (id.charCodeAt(i + 3) << 24),
    );
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let i = length - 1; i >= whole; i--) rest = (rest << 8) | (id.charCodeAt(i) & 0xff);
  if (whole < length) hash ^= scramble(rest);
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}
