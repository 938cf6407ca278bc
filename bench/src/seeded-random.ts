export interface Random {
  /** From 0 to `below`, exclusive. */
  whole(below: number): number;
  pick<T>(list: readonly T[]): T;
  bytes(length: number): Buffer;
  hex(digits: number): string;
}

/** Mulberry32: every run of a bench sends the same bytes. */
export function seededRandom(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (below: number) => Math.floor(next() * below);
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => whole(256)));
  return {
    whole,
    bytes,
    pick(list) {
      const item = list[whole(list.length)];
      if (item === undefined) throw new Error("cannot pick: the list is empty");
      return item;
    },
    hex: (digits) =>
      bytes(Math.ceil(digits / 2))
        .toString("hex")
        .slice(0, digits),
  };
}
