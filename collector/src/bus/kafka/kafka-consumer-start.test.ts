import { describe, expect, test } from "vitest";
import { type ConsumerStart, chooseStart, type StartRequest } from "./kafka-consumer-start.ts";

interface Case {
  readonly name: string;
  readonly known?: number;
  readonly isExact?: boolean;
  readonly offsets: StartRequest["offsets"];
  readonly want: Partial<ConsumerStart>;
}

const CASES: readonly Case[] = [
  {
    name: "nobody ever read",
    offsets: { low: 0, end: 9, committed: undefined },
    want: { next: 0, committed: 0, remark: undefined },
  },
  {
    name: "the group goes on",
    offsets: { low: 0, end: 9, committed: 5 },
    want: { next: 5, committed: 5, remark: undefined },
  },
  {
    name: "the store is ahead of the group, as after a crash between the two",
    known: 7,
    isExact: true,
    offsets: { low: 0, end: 9, committed: 5 },
    want: { next: 7, committed: 5, remark: undefined },
  },
  {
    name: "the store is behind the group, as one that was restored from a backup",
    known: 3,
    isExact: true,
    offsets: { low: 0, end: 9, committed: 5 },
    want: { next: 3, committed: 5, remark: undefined },
  },
  {
    name: "another member got further meanwhile",
    known: 3,
    offsets: { low: 0, end: 9, committed: 5 },
    want: { next: 5, committed: 5, remark: undefined },
  },
  {
    name: "what we stored could not be committed before the rebalance",
    known: 7,
    offsets: { low: 0, end: 9, committed: 5 },
    want: { next: 7, committed: 5, remark: undefined },
  },
  {
    name: "messages were deleted before they were read",
    known: 3,
    offsets: { low: 6, end: 9, committed: 3 },
    want: {
      next: 6,
      committed: 3,
      remark:
        "logs/0 begins at 6, its consumer is at 3: 3 messages were deleted before they were read",
    },
  },
  {
    name: "the topic is another one, and shorter",
    known: 50,
    isExact: true,
    offsets: { low: 0, end: 9, committed: 50 },
    want: {
      next: 0,
      committed: 0,
      remark: "logs/0 ends at 9, its consumer is at 50: reading all again",
    },
  },
  {
    name: "the topic is another one, of which the group committed nothing",
    known: 5,
    isExact: true,
    offsets: { low: 2, end: 9, committed: undefined },
    want: {
      next: 2,
      committed: 0,
      remark:
        "logs/0 has no committed offset of the group, its consumer is at 5: reading all again",
    },
  },
  {
    name: "the group's offset is from another topic, the store's is not",
    known: 5,
    isExact: true,
    offsets: { low: 0, end: 9, committed: 50 },
    want: { next: 0, committed: 0 },
  },
];

describe("a partition begins where", () => {
  for (const { name, known, isExact = false, offsets, want } of CASES) {
    test(name, () => {
      expect(chooseStart({ partition: "logs/0", offsets, known, isExact })).toMatchObject(want);
    });
  }
});
