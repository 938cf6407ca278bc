import { beforeEach, expect, test, vi } from "vitest";
import { GenerationGuard } from "./generation-guard.ts";
import { KafkaConsumerCommits } from "./kafka-consumer-commits.ts";

let guard: GenerationGuard;
let commits: KafkaConsumerCommits;
/** Each request as it was sent, and what the broker is told to answer to it. */
let requests: { offsets: Record<string, number>; answer: PromiseWithResolvers<void> }[];
let waits: PromiseWithResolvers<void>[];

beforeEach(() => {
  requests = [];
  waits = [];
  guard = new GenerationGuard();
  guard.begin(["logs/0", "logs/1"]);
  for (const partition of guard.partitions) {
    guard.start(partition, { next: 0, committed: 0 });
    guard.handOut(partition, 100);
  }
  commits = new KafkaConsumerCommits({
    guard,
    send: (offsets) => {
      const answer = Promise.withResolvers<void>();
      requests.push({ offsets: Object.fromEntries(offsets), answer });
      return answer.promise;
    },
    wait: () => {
      const end = Promise.withResolvers<void>();
      waits.push(end);
      return end.promise;
    },
  });
});

function sent(): Record<string, number>[] {
  return requests.map(({ offsets }) => offsets);
}

test("sends one request at a time, with the latest of each partition", async () => {
  const first = commits.add({ partition: "logs/0", offset: 10 });
  const others = [
    commits.add({ partition: "logs/0", offset: 20 }),
    commits.add({ partition: "logs/1", offset: 5 }),
    commits.add({ partition: "logs/0", offset: 15 }),
  ];
  expect(sent()).toEqual([{ "logs/0": 10 }]);
  requests[0]?.answer.resolve();
  await first;
  await vi.waitFor(() => expect(sent()).toHaveLength(2));
  expect(sent()[1]).toEqual({ "logs/0": 20, "logs/1": 5 });
  requests[1]?.answer.resolve();
  await Promise.all(others);
  expect(guard.mayCommit("logs/0", 20)).toBe(false);
});

test("does not send what is committed, or was never read", async () => {
  guard.committed("logs/0", 50);
  await commits.add({ partition: "logs/0", offset: 50 });
  await commits.add({ partition: "logs/1", offset: 101 });
  await commits.add({ partition: "traces/0", offset: 1 });
  expect(requests).toEqual([]);
});

test("lets the reader go on where the broker does not take it, and tries again", async () => {
  const first = commits.add({ partition: "logs/0", offset: 10 });
  requests[0]?.answer.reject(new Error("the coordinator is loading"));
  await first;
  const second = commits.add({ partition: "logs/1", offset: 7 });
  waits[0]?.resolve();
  await vi.waitFor(() => expect(sent()).toHaveLength(2));
  expect(sent()[1]).toEqual({ "logs/0": 10, "logs/1": 7 });
  requests[1]?.answer.resolve();
  await second;
  expect(guard.mayCommit("logs/0", 10)).toBe(false);
});

test("gives up what belongs to a partition that was taken away meanwhile", async () => {
  const first = commits.add({ partition: "logs/0", offset: 10 });
  requests[0]?.answer.reject(new Error("a rebalance is in progress"));
  await first;
  guard.begin(["logs/1"]);
  guard.start("logs/1", { next: 0, committed: 0 });
  guard.handOut("logs/1", 100);
  waits[0]?.resolve();
  await commits.add({ partition: "traces/0", offset: 1 });
  expect(requests).toHaveLength(1);
});

test("an answer that comes after a rebalance says nothing of the new generation", async () => {
  const first = commits.add({ partition: "logs/0", offset: 60 });
  guard.begin(["logs/0"]);
  guard.start("logs/0", { next: 40, committed: 40 });
  guard.handOut("logs/0", 60);
  requests[0]?.answer.resolve();
  await first;
  expect(guard.mayCommit("logs/0", 60)).toBe(true);
});

test("stop answers everybody", async () => {
  const waiting = [10, 20].map((offset) => commits.add({ partition: "logs/0", offset }));
  commits.stop();
  requests[0]?.answer.reject(new Error("closed"));
  await Promise.all(waiting);
  waits[0]?.resolve();
  expect(requests).toHaveLength(1);
});
