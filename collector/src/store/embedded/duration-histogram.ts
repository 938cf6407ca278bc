/**
 * Durations counted in exponential buckets, eight to a doubling: a quantile read back is within
 * 4.5 % of the true one. Bucket 0 is up to 1 µs; bucket n reaches from 2^((n−1)/8) to 2^(n/8) µs.
 */
const BUCKETS_PER_DOUBLING = 8;
/** 2^(344/8) µs: more than a hundred days. */
const BUCKET_MAX = 344;
const BUCKET_BYTES = 6;

/** Bucket to count. */
export type DurationHistogram = Map<number, number>;

export function addDuration(histogram: DurationHistogram, durationNs: bigint): void {
  const bucket = durationBucket(Number(durationNs));
  histogram.set(bucket, (histogram.get(bucket) ?? 0) + 1);
}

/** Adds the second's counts to the first. */
export function mergeDurations(into: DurationHistogram, from: DurationHistogram): void {
  for (const [bucket, count] of from) into.set(bucket, (into.get(bucket) ?? 0) + count);
}

/** The duration, in ms, that the share `quantile` (0 to 1) of all stays within; 0 without any. */
export function quantileMs(histogram: DurationHistogram, quantile: number): number {
  const buckets = [...histogram].toSorted(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let left = Math.max(1, Math.ceil(total * quantile));
  for (const [bucket, count] of buckets) {
    left -= count;
    if (left <= 0) return middleMs(bucket);
  }
  return 0;
}

/** Per bucket in use: bucket as uint16, count as uint32, little-endian. */
export function encodeDurations(histogram: DurationHistogram): Buffer {
  const bytes = Buffer.allocUnsafe(histogram.size * BUCKET_BYTES);
  let at = 0;
  for (const [bucket, count] of histogram) {
    bytes.writeUInt16LE(bucket, at);
    bytes.writeUInt32LE(Math.min(count, 0xffff_ffff), at + 2);
    at += BUCKET_BYTES;
  }
  return bytes;
}

export function decodeDurations(bytes: Uint8Array): DurationHistogram {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const histogram: DurationHistogram = new Map();
  for (let at = 0; at + BUCKET_BYTES <= view.length; at += BUCKET_BYTES) {
    histogram.set(view.readUInt16LE(at), view.readUInt32LE(at + 2));
  }
  return histogram;
}

/** The bucket that counts a duration. */
export function durationBucket(durationNs: number): number {
  if (durationNs <= 1000) return 0;
  return Math.min(BUCKET_MAX, Math.ceil(Math.log2(durationNs / 1000) * BUCKETS_PER_DOUBLING));
}

/** The duration that stands for all those of a bucket. */
export function middleMs(bucket: number): number {
  if (bucket === 0) return 0.0005;
  return 2 ** ((bucket - 0.5) / BUCKETS_PER_DOUBLING) / 1000;
}
