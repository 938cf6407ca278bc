import { expect, test } from "vitest";
import { toRfc3339 } from "../embedded/stored-record.ts";
import { JsonBuffer } from "./json-buffer.ts";
import { JsonTime, storedTimeNs } from "./json-time.ts";

const DAY_NS = 86_400_000_000_000n;
const LAST_NS = 2n ** 63n - 1n;

test("times are those that the embedded store shows", () => {
  const time = new JsonTime();
  const out = new JsonBuffer(8);
  const times = [
    ...[0n, 1n, DAY_NS - 1n, DAY_NS, 1_772_366_400_123_456_789n, 951_782_400_000_000_000n],
    ...[LAST_NS, LAST_NS - 1n, LAST_NS - DAY_NS, LAST_NS + 1n, LAST_NS + DAY_NS, 2n ** 64n - 1n],
    ...[-1n, -DAY_NS, 0n, 1_772_366_400_000_000_000n],
  ];
  for (const timeNs of times) {
    out.length = 0;
    time.write(out, timeNs);
    expect(out.view().toString()).toBe(toRfc3339(storedTimeNs(timeNs)));
  }
});
