import { expect, test } from "vitest";
import { createSampler } from "./sampler.ts";
import { mintTraceId } from "./trace-ids.ts";

const parent = (traceFlags: number) => ({ traceId: "a", spanId: "b", traceFlags });

test.each<[string, [root: boolean, kept: boolean, dropped: boolean]]>([
  ["always_on", [true, true, true]],
  ["always_off", [false, false, false]],
  ["parentbased_always_on", [true, true, false]],
  ["parentbased_always_off", [false, true, false]],
])("%s", (name, want) => {
  const sample = createSampler(name, 1);
  const id = mintTraceId();
  expect([sample(id, undefined), sample(id, parent(1)), sample(id, parent(0))]).toEqual(want);
});

test("a ratio keeps the same traces everywhere, and about as many as it says", () => {
  const ids = Array.from({ length: 20_000 }, mintTraceId);
  const some = createSampler("traceidratio", 0.25);
  const more = createSampler("parentbased_traceidratio", 0.5);
  const kept = ids.filter((id) => some(id, undefined));
  expect(kept.length / ids.length).toBeGreaterThan(0.2);
  expect(kept.length / ids.length).toBeLessThan(0.3);
  expect(kept.every((id) => more(id, undefined))).toBe(true);
  expect(ids.some((id) => createSampler("traceidratio", 0)(id, undefined))).toBe(false);
  expect(ids.every((id) => createSampler("traceidratio", 1)(id, undefined))).toBe(true);
});
