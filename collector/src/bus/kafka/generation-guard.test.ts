import { beforeEach, describe, expect, test } from "vitest";
import { GenerationGuard } from "./generation-guard.ts";

let guard: GenerationGuard;

beforeEach(() => {
  guard = new GenerationGuard();
  guard.begin(["logs/0", "logs/1"]);
  guard.start("logs/0", { next: 10, committed: 10 });
});

/** Fetches and reads everything before `next`. */
function read(partition: string, next: number): void {
  guard.take(partition, next);
  guard.handOut(partition, next);
}

describe("what was fetched", () => {
  test("is taken where it follows what was taken before", () => {
    expect(guard.judge("logs/0", 10)).toEqual({ kind: "take" });
    guard.take("logs/0", 15);
    expect(guard.judge("logs/0", 15)).toEqual({ kind: "take" });
  });

  test("is dropped where the partition is not ours, or its start is not known", () => {
    expect(guard.judge("logs/7", 0)).toEqual({ kind: "drop" });
    expect(guard.judge("logs/1", 0)).toEqual({ kind: "drop" });
    expect(guard.isStarted("logs/1")).toBe(false);
    guard.start("logs/1", { next: 3, committed: 0 });
    expect(guard.judge("logs/1", 3)).toEqual({ kind: "take" });
  });

  test("of an earlier generation is asked for again from where this one is", () => {
    guard.take("logs/0", 300);
    guard.begin(["logs/0"]);
    guard.start("logs/0", { next: 150, committed: 150 });
    // The batch that was under way: taking it would pass over 150 to 299.
    expect(guard.judge("logs/0", 300)).toEqual({ kind: "read-again", offset: 150 });
    expect(guard.judge("logs/0", 150)).toEqual({ kind: "take" });
  });

  test("that lies before what was taken is asked for again, each time", () => {
    for (let i = 0; i < 3; i++) {
      expect(guard.judge("logs/0", 4)).toEqual({ kind: "read-again", offset: 10 });
    }
  });

  test("is taken behind a gap once the gap has shown twice", () => {
    expect(guard.judge("logs/0", 20)).toEqual({ kind: "read-again", offset: 10 });
    expect(guard.judge("logs/0", 20)).toEqual({ kind: "take" });
    guard.take("logs/0", 30);
    // The next gap is judged for itself.
    expect(guard.judge("logs/0", 40)).toEqual({ kind: "read-again", offset: 30 });
  });
});

describe("a commit", () => {
  test("passes where everything before it was read, and is news", () => {
    guard.take("logs/0", 30);
    guard.handOut("logs/0", 20);
    expect(guard.mayCommit("logs/0", 20)).toBe(true);
    expect(guard.mayCommit("logs/0", 21)).toBe(false);
    guard.committed("logs/0", 20);
    expect(guard.mayCommit("logs/0", 20)).toBe(false);
    expect(guard.mayCommit("logs/0", 15)).toBe(false);
  });

  test("does not go behind what the group has", () => {
    guard.start("logs/1", { next: 5, committed: 50 });
    read("logs/1", 40);
    expect(guard.mayCommit("logs/1", 40)).toBe(false);
    read("logs/1", 51);
    expect(guard.mayCommit("logs/1", 51)).toBe(true);
  });

  test("for a partition that was taken away is refused, and for one that came back too", () => {
    read("logs/0", 20);
    guard.end();
    expect(guard.mayCommit("logs/0", 20)).toBe(false);
    guard.begin(["logs/1"]);
    expect(guard.mayCommit("logs/0", 20)).toBe(false);
    guard.begin(["logs/0"]);
    expect(guard.mayCommit("logs/0", 20)).toBe(false);
    guard.start("logs/0", { next: 15, committed: 15 });
    // Read in the generation before, and not yet in this one.
    expect(guard.mayCommit("logs/0", 20)).toBe(false);
    read("logs/0", 20);
    expect(guard.mayCommit("logs/0", 20)).toBe(true);
  });
});

test("counts generations, and names the partitions of the present one", () => {
  expect(guard.generation).toBe(1);
  expect(guard.partitions).toEqual(["logs/0", "logs/1"]);
  guard.end();
  expect(guard.generation).toBe(2);
  expect(guard.partitions).toEqual([]);
});
