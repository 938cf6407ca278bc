import { expect, test } from "vitest";
import { SharedRefresh } from "./shared-refresh.ts";

function refreshes() {
  const running: { resolve: () => void; reject: (reason: Error) => void }[] = [];
  const refresh = new SharedRefresh(() => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    running.push({ resolve, reject });
    return promise;
  });
  return { refresh, running };
}

test("a refresh that is under way does not count, and the next one is shared", async () => {
  const { refresh, running } = refreshes();
  const order: string[] = [];
  const first = refresh.done().then(() => order.push("first"));
  const second = refresh.done().then(() => order.push("second"));
  const third = refresh.done().then(() => order.push("third"));
  expect(running).toHaveLength(1);
  running[0]?.resolve();
  await first;
  expect(order).toEqual(["first"]);
  expect(running).toHaveLength(2);
  running[1]?.resolve();
  await Promise.all([second, third]);
  expect(running).toHaveLength(2);
  const fourth = refresh.done();
  expect(running).toHaveLength(3);
  running[2]?.resolve();
  await fourth;
});

test("one that fails fails for those who wait for it, and not for those after them", async () => {
  const { refresh, running } = refreshes();
  const first = refresh.done();
  const second = refresh.done();
  running[0]?.reject(new Error("no"));
  await expect(first).rejects.toThrow("no");
  running[1]?.resolve();
  await second;
});
