/**
 * Gives the memory of a buffer back at once; nobody may look at it again, nor at another view of
 * it. The garbage collector, which sees how small the objects are, would let some 60 MB of request
 * bodies pile up and then mark everything: with this a request of 1000 logs takes half the CPU,
 * 0.48 against 0.95 ms, and the process half the memory, 112 against 229 MiB (`bench receive`).
 *
 * What lies in the memory that small buffers share stays: none of them is all of it.
 */
export function discard({ buffer: memory, byteLength }: Buffer): void {
  if (!(memory instanceof ArrayBuffer)) return;
  if (memory.byteLength === byteLength || memory.byteLength > Buffer.poolSize) memory.transfer(0);
}
