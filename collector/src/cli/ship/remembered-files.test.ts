import { expect, test } from "vitest";
import type { KnownFile } from "./position-format.ts";
import { originalPaths, RememberedFiles } from "./remembered-files.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

function known(changes: Partial<KnownFile>): KnownFile {
  const where = { device: "1", inode: "10", path: "/logs/a.log" };
  return { id: "id", ...where, position: 0, lanes: {}, marks: [], seenMs: 0, ...changes };
}

test("finds a file by its inode, on another device only where the path agrees", () => {
  const same = known({});
  const moved = known({ device: "2" });
  const other = known({ device: "2", path: "/logs/b.log" });
  const files = new RememberedFiles([same, moved, other]);
  expect(files.likely({ device: "1", inode: "10", path: "/logs/a.log" })).toEqual([same, moved]);
  expect(files.likely({ device: "1", inode: "11", path: "/logs/a.log" })).toEqual([]);
  files.delete(same);
  expect(files.likely({ device: "1", inode: "10", path: "/logs/x" })).toEqual([]);
  expect(files.withPath("/logs/a.log")).toEqual([moved]);
});

test("forgets what is long gone", () => {
  const files = new RememberedFiles([
    known({ id: "old" }),
    known({ id: "young", seenMs: 6 * DAY_MS }),
  ]);
  files.add(known({ id: "new", seenMs: 8 * DAY_MS }));
  expect([...files].map(({ id }) => id)).toEqual(["young", "new"]);
});

test("is bounded", () => {
  const many = Array.from({ length: 20_000 }, (_, index) => known({ id: String(index) }));
  const files = new RememberedFiles(many);
  files.add(known({ id: "one more" }));
  expect([...files]).toHaveLength(20_000);
  expect([...files].at(-1)?.id).toBe("one more");
});

test.each([
  ["/logs/app.log.2.gz", ["/logs/app", "/logs/app.log", "/logs/app.log.2"]],
  ["/logs/app.log-20260131", ["/logs/app", "/logs/app.log"]],
  ["/logs/app", []],
  ["/logs/.hidden", []],
])("%s may be a copy of %j", (path, want) => {
  expect(originalPaths(path)).toEqual(want);
});
