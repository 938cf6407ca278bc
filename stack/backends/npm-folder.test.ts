import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { npmFolder } from "./npm-folder.ts";

let folder: string;
let source: string;
let cacheDir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "clew-npm-folder-"));
  [source, cacheDir] = [join(folder, "source"), join(folder, "cache")];
  await mkdir(source);
  await write("package.json", { name: "empty", version: "1.0.0" });
  const packages = { "": { name: "empty", version: "1.0.0" } };
  await write("package-lock.json", { name: "empty", lockfileVersion: 3, packages });
});
afterEach(() => rm(folder, { recursive: true }));

function write(name: string, content: object): Promise<void> {
  return writeFile(join(source, name), JSON.stringify(content));
}

test("several that ask at once get one whole folder, and a change gets another", async () => {
  const ask = () => npmFolder({ source, name: "empty", cacheDir });
  const [first, second] = await Promise.all([ask(), ask()]);
  expect(second).toBe(first);
  expect(await ask()).toBe(first);
  expect(await readdir(cacheDir)).toEqual([first.slice(cacheDir.length + 1)]);
  await write("package.json", { name: "empty", version: "1.0.0", description: "changed" });
  expect(await ask()).not.toBe(first);
});

test("what cannot be installed leaves nothing, and says why", async () => {
  await write("package.json", { name: "empty", dependencies: { "not-in-the-lock": "1.0.0" } });
  const asked = npmFolder({ source, name: "empty", cacheDir });
  await expect(asked).rejects.toThrow(/cannot run npm: .*not-in-the-lock/s);
  expect(await readdir(cacheDir)).toEqual([]);
});
