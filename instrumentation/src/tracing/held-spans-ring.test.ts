import { expect, test } from "vitest";
import { HeldSpansRing } from "./held-spans-ring.ts";

const scope = { name: "test", version: "" };

function record(id: string, text: string) {
  return { id, scope, isInTransaction: true, bytes: Buffer.from(text) };
}

const textOf = (held: { bytes: Uint8Array } | undefined) =>
  held === undefined ? undefined : Buffer.from(held.bytes).toString();

test("first in, first out; or all of one ID", () => {
  const ring = new HeldSpansRing({ recordsMax: 8, bytesMax: 100 });
  expect([ring.oldestMs, ring.size, ring.shift()]).toEqual([undefined, 0, undefined]);
  ring.push(record("A", "a1"), 1);
  ring.push(record("B", "b1"), 2);
  ring.push(record("A", "a2"), 3);
  expect(ring.take("A").map(textOf)).toEqual(["a1", "a2"]);
  expect(ring.take("A")).toEqual([]);
  expect([ring.oldestMs, ring.size]).toEqual([2, 1]);
  expect(ring.shift()).toMatchObject({ id: "B", scope, isInTransaction: true });
  expect([ring.oldestMs, ring.size, ring.hasRoom(101), ring.hasRoom(100)]).toEqual([
    undefined,
    0,
    false,
    true,
  ]);
  expect(() => ring.push(record("A", "x".repeat(101)), 1)).toThrow("no room");
});

/** Random pushes, shifts and takes against a list that does the same slowly. */
test.each([1, 2, 3, 4, 5])("does what a plain list does (seed %d)", (seed) => {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
  const ring = new HeldSpansRing({ recordsMax: 7, bytesMax: 64 });
  let list: { id: string; text: string; ms: number }[] = [];
  let evicted = 0;
  for (let step = 0; step < 5000; step++) {
    const id = `T-${random(4)}`;
    const what = random(10);
    if (what < 7) {
      const text = `${step}:${"x".repeat(random(20))}`;
      while (!ring.hasRoom(text.length)) {
        expect(textOf(ring.shift())).toBe(list.shift()?.text);
        evicted++;
      }
      ring.push(record(id, text), step);
      list.push({ id, text, ms: step });
    } else if (what < 9) {
      expect(textOf(ring.shift())).toBe(list.shift()?.text);
    } else {
      const want = list.filter((held) => held.id === id).map(({ text }) => text);
      expect(ring.take(id).map(textOf)).toEqual(want);
      list = list.filter((held) => held.id !== id);
    }
    expect([ring.size, ring.oldestMs]).toEqual([list.length, list[0]?.ms]);
  }
  expect(evicted).toBeGreaterThan(100);
});
