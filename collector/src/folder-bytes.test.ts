import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FolderBytes } from "./folder-bytes.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-folder-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

test("counts the files that are there, and again as they change", async () => {
  writeFileSync(join(dir, "a"), Buffer.alloc(1000));
  const folder = await FolderBytes.watch(dir, rethrow);
  expect(folder.bytes).toBe(1000);
  writeFileSync(join(dir, "b"), Buffer.alloc(500));
  rmSync(join(dir, "a"));
  await vi.waitFor(() => expect(folder.bytes).toBe(500), { timeout: 10_000 });
  folder.stop();
  folder.stop();
});

test("a folder that does not exist yet takes up nothing", async () => {
  const later = join(dir, "later");
  const folder = await FolderBytes.watch(later, rethrow);
  expect(folder.bytes).toBe(0);
  mkdirSync(later);
  writeFileSync(join(later, "a"), "four");
  await vi.waitFor(() => expect(folder.bytes).toBe(4), { timeout: 10_000 });
  folder.stop();
});

function rethrow(cause: unknown): void {
  throw cause;
}
