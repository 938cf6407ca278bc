import { expect, test } from "vitest";
import { decodeWritingPlace, encodeWritingPlace, shardsOf, startOf } from "./writing-place.ts";

const STREAM = "logs-clew-default";
const index = (generation: number) => `.ds-${STREAM}-2026.03.0${generation}-00000${generation}`;

test("orders shards as their indices were begun, whatever they are called", () => {
  const checkpoints = new Map([
    [index(2), [5, 7]],
    ["restored-1", [3]],
    [index(1), [9]],
  ]);
  const shards = shardsOf(STREAM, checkpoints);
  expect(shards.map(({ name, lastNumber }) => [name, lastNumber])).toEqual([
    ["2026.03.01-000001/0", 9],
    ["2026.03.02-000002/0", 5],
    ["2026.03.02-000002/1", 7],
    ["restored-1/0", 3],
  ]);
});

test("goes on where it was, begins a new shard at its start, and leaves older ones alone", () => {
  const [first, second, third] = shardsOf(
    STREAM,
    new Map([1, 2, 3].map((generation) => [index(generation), [10]])),
  );
  const from = new Map([["2026.03.02-000002/0", 4]]);
  expect([first, second, third].map((shard) => shard && startOf(shard, from))).toEqual([10, 4, -1]);
  expect([first, second, third].map((shard) => shard && startOf(shard, new Map()))).toEqual([
    ...[-1, -1, -1],
  ]);
});

test("keeps the newest shards, and fits into what a cursor may have", () => {
  const names = Array.from({ length: 100 }, (_, i) => `2026.03.01-${String(i).padStart(6, "0")}/0`);
  const cursor = encodeWritingPlace(new Map(names.map((name) => [name, 999_999_999])));
  expect(cursor.length).toBeLessThan(2048);
  expect([...decodeWritingPlace(cursor).keys()]).toEqual(names.slice(-32));
  expect(decodeWritingPlace(encodeWritingPlace(new Map()))).toEqual(new Map());
  expect(decodeWritingPlace(encodeWritingPlace(new Map([["a/0", -1]])))).toEqual(
    new Map([["a/0", -1]]),
  );
});

test("refuses cursors that it did not give", () => {
  const cursors = [
    ["shards", "a"],
    ["shards", 1, 2],
    ["shards", "a", -2],
    ["shards", "a", 0.5],
  ];
  for (const values of [...cursors, ["document"], [], {}]) {
    const cursor = Buffer.from(JSON.stringify(values)).toString("base64url");
    const invalid = expect.objectContaining({ code: "PARAMETER_INVALID" });
    expect(() => decodeWritingPlace(cursor), JSON.stringify(values)).toThrow(invalid);
  }
});
