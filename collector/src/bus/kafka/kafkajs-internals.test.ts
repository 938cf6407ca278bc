import { expect, test, vi } from "vitest";
import { Produce, RequestQueue, type RequestQueueInternals } from "./kafkajs-internals.ts";
import { quietRequestQueue } from "./quiet-request-queue.ts";
import { StandIn, sendBatchesWhole } from "./send-batches-whole.ts";

test("kafkajs has what this folder changes, where it is looked for", () => {
  expect(RequestQueue.prototype.scheduleCheckPendingRequests).toBeTypeOf("function");
  expect(RequestQueue.prototype.checkPendingRequests).toBeTypeOf("function");
  expect(Produce.protocol({ version: 7 })).toBeTypeOf("function");
});

test("a queue in which nothing waits sets no timer", () => {
  quietRequestQueue();
  vi.useFakeTimers();
  try {
    const queue = queueOf([]);
    queue.scheduleCheckPendingRequests();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("a request that waits is looked at again, when throttling ends at the latest", () => {
  quietRequestQueue();
  vi.useFakeTimers({ now: 1000 });
  try {
    const queue = queueOf([{}], 1500);
    queue.scheduleCheckPendingRequests();
    queue.scheduleCheckPendingRequests();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(499);
    expect(queue.checkPendingRequests).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(queue.checkPendingRequests).toHaveBeenCalledOnce();
    expect(queue.throttleCheckTimeoutId).toBeNull();
  } finally {
    vi.useRealTimers();
  }
});

const FIELDS = { acks: -1, timeout: 8000 };
const batch = Buffer.from("batch");
const standIn = new StandIn({ batch, endMs: 0 });

test("a batch goes to its partition as it is, and other messages as ever", async () => {
  sendBatchesWhole();
  sendBatchesWhole();
  const topicData = [{ topic: "tö", partitions: [{ partition: 3, messages: [standIn] }] }];
  const { request } = Produce.protocol({ version: 7 })({ ...FIELDS, topicData });
  const { buffer } = await request.encode();
  expect(buffer.toString("hex")).toBe(
    [
      "ffff", // no transaction
      "ffff", // all replicas in sync
      "00001f40",
      ...["00000001", "0003", Buffer.from("tö").toString("hex")],
      ...["00000001", "00000003", "00000005", batch.toString("hex")],
    ].join(""),
  );
  const others = [{ topic: "t", partitions: [{ partition: 0, messages: [{ value: "v" }] }] }];
  const made = Produce.protocol({ version: 7 })({ ...FIELDS, topicData: others });
  expect((await made.request.encode()).buffer.includes("v")).toBe(true);
});

test.each([
  ["a broker that knows no zstd", 6, [{ partition: 0, messages: [standIn] }]],
  ["two batches in one request", 7, [{ partition: 0, messages: [standIn, standIn] }]],
])("%s is refused", async (_, version, partitions) => {
  sendBatchesWhole();
  const topicData = [{ topic: "t", partitions }];
  const { request } = Produce.protocol({ version })({ ...FIELDS, topicData });
  await expect(request.encode()).rejects.toThrow();
});

function queueOf(pending: readonly object[], throttledUntil = -1): RequestQueueInternals {
  return {
    pending,
    throttledUntil,
    throttleCheckTimeoutId: null,
    scheduleCheckPendingRequests: RequestQueue.prototype.scheduleCheckPendingRequests,
    checkPendingRequests: vi.fn(),
  };
}
