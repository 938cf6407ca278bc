import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { DispatchQueue } from "./dispatch-queue.ts";
import type { Json } from "./http-service.ts";

test("works each job off later, in the context of who added it", async () => {
  const context = new AsyncLocalStorage<string>();
  const worked: unknown[] = [];
  const work = async ({ orderId }: Json) => void worked.push([context.getStore(), orderId]);
  const queue = new DispatchQueue({ delayMs: 1, work });
  for (const id of ["a", "b"]) context.run(`request ${id}`, () => queue.add({ orderId: id }));
  expect(worked).toEqual([]);
  await queue.drain();
  expect(worked).toEqual([
    ["request a", "a"],
    ["request b", "b"],
  ]);
});

test("refuses what is too much, and takes it again later", async () => {
  const queue = new DispatchQueue({ delayMs: 1, work: async () => undefined });
  let added = 0;
  while (queue.add({ orderId: "one more" })) added++;
  expect(added).toBe(10_000);
  await queue.drain();
  expect(queue.add({ orderId: "again" })).toBe(true);
  await queue.drain();
});
