import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StoredNews } from "./stored-news.ts";

const POLL_MS = 1000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("tells everybody who listens, and nobody who has left", () => {
  const news = new StoredNews();
  const [first, second] = [vi.fn(), vi.fn()];
  const leave = news.onStored(first);
  news.onStored(second);
  news.announce();
  leave();
  news.announce();
  expect(first).toHaveBeenCalledTimes(1);
  expect(second).toHaveBeenCalledTimes(2);
  expect(vi.getTimerCount()).toBe(0);
});

test("says so by itself where others write too, while somebody listens", () => {
  const news = new StoredNews(POLL_MS);
  expect(vi.getTimerCount()).toBe(0);
  const listener = vi.fn();
  const leave = [news.onStored(listener), news.onStored(() => undefined)];
  vi.advanceTimersByTime(3 * POLL_MS);
  expect(listener).toHaveBeenCalledTimes(3);
  for (const each of leave) each();
  expect(vi.getTimerCount()).toBe(0);
});
