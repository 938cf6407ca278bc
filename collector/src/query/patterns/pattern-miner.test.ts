import { expect, it } from "vitest";
import { SeededRandom } from "../../../test/seeded-random.ts";
import { PATTERNS_MAX, PatternMiner, VALUES_MAX } from "./pattern-miner.ts";

class Count {
  count = 0;
  add(): void {
    this.count++;
  }
  merge(other: Count): void {
    this.count += other.count;
  }
}

function mine(messages: readonly string[]) {
  const miner = new PatternMiner<string, Count>(() => new Count());
  for (const message of messages) miner.add(message, message);
  const patterns = miner.patterns().map(({ tokens, gathered }) => {
    return [tokens.join(" "), gathered.count] as const;
  });
  return { others: miner.others, patterns: new Map(patterns) };
}

const names = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => `${"abcdefghij"[i % 10]}${"xyz"[i % 3]}${"klmnopq"[i % 7]}`,
  );

it("finds one pattern for messages that differ in numbers and ids", () => {
  const { patterns } = mine(Array.from({ length: 50 }, (_, i) => `order ${i} accepted for ${i}x`));
  expect([...patterns]).toEqual([["order <*> accepted for <*>", 50]]);
});

it("keeps apart what takes few values, and joins what takes many", () => {
  const outcomes = ["accepted", "declined", "expired"].map((word) => `card was ${word}`);
  const users = names(40).map((name) => `login of user ${name} was fine`);
  const { patterns } = mine([...outcomes, ...users, ...outcomes]);
  expect(patterns.get("login of user <*> was fine")).toBe(40);
  for (const outcome of outcomes) expect(patterns.get(outcome)).toBe(2);
  expect(patterns.size).toBe(4);
});

it("joins two places that differ together", () => {
  const [from, to] = [names(60), names(60).toReversed()];
  const { patterns } = mine(from.map((name, i) => `transfer from ${name} to ${to[i]}`));
  expect([...patterns]).toEqual([["transfer from <*> to <*>", 60]]);
});

it("does not join what has nothing else in common", () => {
  const { patterns } = mine(
    names(20).map((name) => `start ${name} ${name.toUpperCase()} ${name}!`),
  );
  expect(patterns.size).toBe(20);
});

it("tells the patterns of a realistic mix, in whatever order it comes", () => {
  const random = new SeededRandom(7);
  const users = names(30);
  const kinds = [
    () => `GET /orders/${random.below(1e6)} ${random.pick([200, 404])} in ${random.below(99)} ms`,
    () => `order ${random.below(1e6)} placed by ${random.pick(users)}`,
    () => "cache miss for key session",
    () => `payment ${random.pick(["accepted", "declined"])} after ${random.below(9)} tries`,
    () => `connection to 10.0.0.${random.below(255)}:5432 refused, retrying in ${random.below(9)}s`,
    () => `user ${random.pick(users)} sent ${random.below(99)} items to ${random.pick(users)}`,
  ];
  const messages = Array.from({ length: 20_000 }, () => random.pick(kinds)());
  const { patterns, others } = mine(messages);
  expect([...patterns.keys()].toSorted()).toEqual([
    "GET /orders/<*> <*> in <*> ms",
    "cache miss for key session",
    "connection to <*> refused, retrying in <*>",
    "order <*> placed by <*>",
    "payment accepted after <*> tries",
    "payment declined after <*> tries",
    "user <*> sent <*> items to <*>",
  ]);
  expect([...patterns.values()].reduce((sum, count) => sum + count, 0) + others).toBe(20_000);
  expect(mine(messages)).toEqual({ patterns, others });
  expect([...mine(messages.toReversed()).patterns.keys()].toSorted()).toEqual(
    [...patterns.keys()].toSorted(),
  );
});

it("keeps no more patterns than it may, and loses no count", () => {
  const random = new SeededRandom(8);
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const word = () => Array.from({ length: 6 }, () => random.pick(letters)).join("");
  const messages = Array.from({ length: 10_000 }, () => `${word()} ${word()} ${word()}`);
  const { patterns, others } = mine(messages);
  expect(patterns.size).toBeLessThanOrEqual(PATTERNS_MAX);
  expect([...patterns.values()].reduce((sum, count) => sum + count, 0) + others).toBe(10_000);
  const same = mine(Array.from({ length: 5000 }, () => `same ${word()} ${word()} ${word()}`));
  expect(same.others).toBe(0);
  expect(same.patterns.size).toBeLessThanOrEqual(100);
  expect([...same.patterns.values()].reduce((sum, count) => sum + count, 0)).toBe(5000);
});

it("needs more than so many values for a wildcard", () => {
  const messages = names(VALUES_MAX).map((name) => `hello there ${name}`);
  expect(mine(messages).patterns.size).toBe(VALUES_MAX);
  expect(mine([...messages, "hello there zzz"]).patterns.size).toBe(1);
});
