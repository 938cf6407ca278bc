import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildPage } from "./build.ts";

const NEVER = new AbortController().signal;

let page: string;
beforeEach(async () => {
  page = await mkdtemp(join(tmpdir(), "clew-page-"));
  await mkdir(join(page, "src"));
  await write("index.html", '<!doctype html><script type="module" src="/src/main.ts"></script>');
  await write("src/main.ts", 'document.title = "first";');
});
afterEach(() => rm(page, { recursive: true }));

test("builds what is not there, and not again while the sources stay the same", async () => {
  expect((await buildPage(NEVER, page)).isBuilt).toBe(true);
  expect(await built()).toContain("first");
  expect((await buildPage(NEVER, page)).isBuilt).toBe(false);
  await write("src/main.test.ts", "a test is not part of the page");
  expect((await buildPage(NEVER, page)).isBuilt).toBe(false);
});

test("builds again after a source changed, came or went", async () => {
  await buildPage(NEVER, page);
  await write("src/main.ts", 'document.title = "second";');
  expect((await buildPage(NEVER, page)).isBuilt).toBe(true);
  expect(await built()).toContain("second");
  expect(await built()).not.toContain("first");
  await write("src/more.ts", "export {};");
  expect((await buildPage(NEVER, page)).isBuilt).toBe(true);
  await rm(join(page, "src", "more.ts"));
  expect((await buildPage(NEVER, page)).isBuilt).toBe(true);
});

test("keeps the page of before where the sources cannot be built, and says why", async () => {
  await buildPage(NEVER, page);
  await write("src/main.ts", 'import "./not-there.ts";');
  await expect(buildPage(NEVER, page)).rejects.toThrow(/^cannot build the web page: .*not-there/s);
  expect(await built()).toContain("first");
  expect(await readdir(join(page, ".cache"))).toEqual([]);
});

test("two builds at once leave one whole page", async () => {
  await Promise.all([buildPage(NEVER, page), buildPage(NEVER, page), buildPage(NEVER, page)]);
  expect(await built()).toContain("first");
  expect(existsSync(join(page, "dist", "index.html"))).toBe(true);
  expect(await readdir(join(page, ".cache"))).toEqual([]);
});

test("an interrupted build leaves nothing", async () => {
  const interrupted = AbortSignal.abort();
  await expect(buildPage(interrupted, page)).rejects.toThrow("cannot build the web page");
  expect(existsSync(join(page, "dist"))).toBe(false);
});

function write(name: string, text: string): Promise<void> {
  return writeFile(join(page, name), text);
}

async function built(): Promise<string> {
  const assets = join(page, "dist", "assets");
  const texts = (await readdir(assets)).map((name) => readFile(join(assets, name), "utf8"));
  return (await Promise.all(texts)).join("\n");
}
