/** `clew ship --follow` that ends, is killed, or cannot go on, and starts again. */
import { copyFileSync, cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClewError } from "../src/errors.ts";
import { asText, type Following, numbered, ShipBench, WAIT } from "./ship-harness.ts";

const TOKEN = "ingest-token";

let bench: ShipBench;
beforeEach(async () => {
  bench = await ShipBench.start();
});
afterEach(() => bench.stop());

const all = () => ({ patterns: [bench.path("*")] });
const one = () => ({ patterns: [bench.path("a.log")] });
const repeats = () => bench.received.filter(({ isRepeat }) => isRepeat).map(({ text }) => text);

test("a start after an end goes on where that was, and repeats nothing", async () => {
  bench.write("a.log", "one\ntwo\nhal");
  await (await bench.follow(one())).stop();
  const first = await bench.follow(one());
  await bench.stores("one", "two");
  await first.stop();
  bench.append("a.log", "f\nthree\n");
  await bench.follow(one());
  await bench.stores("one", "two", "half", "three");
  expect(bench.received).toHaveLength(4);
  expect(repeats()).toEqual([]);
});

test("an end waits for what was read, also where more lines might follow", async () => {
  bench.write("a.log", "Error: boom\n    at charge (shop.js:3:9)\n");
  const first = await bench.follow(one());
  await vi.waitFor(() => expect(first.shipped.acknowledged + first.shipped.unsent).toBe(0), WAIT);
  await bench.isRemembered();
  await first.stop();
  bench.append("a.log", "    at main (shop.js:9:1)\n");
  const second = await bench.follow(one());
  await vi.waitFor(() => expect(bench.stored.join("\n")).toContain("at main"), WAIT);
  await second.stop();
  expect(bench.stored.join("\n")).toBe(readFileSync(bench.path("a.log"), "utf8").trimEnd());
});

test("kill -9 before anything was written down: all again, with the same uids", async () => {
  bench.write("a.log", asText(numbered(2500)));
  const first = await bench.follow(one());
  await vi.waitFor(() => expect(bench.received.length).toBeGreaterThan(0), WAIT);
  await bench.crash(first);
  bench.append("a.log", "after\n");
  await bench.follow(one());
  await bench.stores(...numbered(2500), "after");
  expect(bench.received.length).toBeGreaterThan(2501);
  expect(repeats().length).toBeGreaterThan(0);
});

test("kill -9 while the collector is away", async () => {
  const away = new ClewError("BUS_UNAVAILABLE", "cannot make the request durable: a test");
  bench.bus.fault = () => Promise.reject(away);
  bench.write("a.log", asText(numbered(100)));
  const first = await bench.follow(one());
  await bench.notesInclude("trying again until it does");
  await bench.crashAway(first);
  bench.rename("a.log", "a.log.1");
  bench.write("a.log", "new\n");
  bench.bus.fault = () => Promise.resolve();
  await bench.follow(one());
  await bench.stores(...numbered(100), "new");
});

test("kill -9 after a record was ended by time: what followed it is not lost", async () => {
  bench.write("a.log", "Error: boom\n    at charge (shop.js:3:9)\n");
  const first = await bench.follow(one());
  await bench.stores("Error: boom\n    at charge (shop.js:3:9)");
  await bench.crash(first);
  bench.append("a.log", "    at main (shop.js:9:1)\nnext\n");
  await bench.follow(one());
  await bench.stores(
    "Error: boom\n    at charge (shop.js:3:9)",
    "    at main (shop.js:9:1)",
    "next",
  );
});

test("rotated while nobody followed: the rest is found by its inode", async () => {
  bench.write("a.log", "one\n");
  const first = await bench.follow(one());
  await bench.stores("one");
  await first.stop();
  bench.append("a.log", "two\n");
  bench.rename("a.log", "a.log.1");
  bench.write("a.log", "three\n");
  await bench.follow(one());
  await bench.stores("one", "two", "three");
  await bench.notesInclude(`${bench.path("a.log")} is ${bench.path("a.log.1")} now`);
  expect(new Set(bench.received.map(({ file }) => file))).toEqual(new Set([bench.path("a.log")]));
});

test("truncated, and copied before that, while nobody followed", async () => {
  bench.write("a.log", asText(numbered(50)));
  const options = { patterns: [bench.path("a.log*")] };
  const first = await bench.follow(options);
  await bench.stores(...numbered(50));
  await first.stop();
  bench.append("a.log", "unread\n");
  copyFileSync(bench.path("a.log"), bench.path("a.log.1"));
  truncateSync(bench.path("a.log"));
  bench.append("a.log", "fresh\n");
  await bench.follow(options);
  await bench.stores(...numbered(50), "unread", "fresh");
  expect(bench.received).toHaveLength(52);
});

test("killed before its positions were saved; then copied and truncated", async () => {
  bench.write("a.log", asText(numbered(50)));
  const options = { patterns: [bench.path("a.log*")] };
  const first = await bench.follow(options);
  await bench.stores(...numbered(50));
  await bench.crash(first);
  copyFileSync(bench.path("a.log"), bench.path("a.log.1"));
  truncateSync(bench.path("a.log"));
  bench.append("a.log", "fresh\n");
  await bench.follow(options);
  await bench.stores(...numbered(50), "fresh");
});

test("two files that begin alike are two, however short they are", async () => {
  bench.write("a.log", "the application starts\n");
  const options = { patterns: [bench.path("a.log*")] };
  await bench.follow(options);
  await bench.stores("the application starts");
  bench.write("a.log.1", "the application starts\nof another process\n");
  bench.append("a.log", "of the first\n");
  await bench.stores(
    "the application starts",
    "of the first",
    "the application starts",
    "of another process",
  );
});

test("another file in the place of the old one is not taken for it", async () => {
  bench.write("a.log", asText(numbered(50)));
  const first = await bench.follow(one());
  await bench.stores(...numbered(50));
  await first.stop();
  // The same inode, longer than before, and other lines.
  bench.write("a.log", asText(numbered(80, "other")));
  await bench.follow(one());
  await bench.stores(...numbered(50), ...numbered(80, "other"));
});

test("two at once with the same positions: the second is refused in one line", async () => {
  bench.write("a.log", "one\n");
  await bench.follow(one());
  await expect(bench.follow(one())).rejects.toMatchObject({
    code: "DATA_DIR_IN_USE",
    message:
      `cannot follow files: process ${process.pid} ships with the positions in ${bench.state}; ` +
      "stop it, or give another --state-dir",
  });
});

test("positions that cannot be saved hold the lines back, until they can", async () => {
  bench.write("a.log", "one\n");
  await bench.follow(all());
  await bench.stores("one");
  await vi.waitFor(
    () => expect(readFileSync(join(bench.state, "positions"), "utf8")).toContain("marks"),
    WAIT,
  );
  const aside = `${bench.state}-aside`;
  cpSync(bench.state, aside, { recursive: true });
  rmSync(bench.state, { recursive: true });
  bench.write("b.log", "two\n");
  await bench.notesInclude(`cannot save positions in ${bench.state}`);
  expect(bench.stored).toEqual(["one"]);
  cpSync(aside, bench.state, { recursive: true });
  await bench.stores("one", "two");
  await bench.notesInclude("positions can be saved again");
});

test.each([
  ["no positions at all", "nonsense\n"],
  ["positions of a newer version", '{"version":9}\n'],
])("%s: one line with what to do, and nothing is sent", async (_, text) => {
  bench.write("a.log", "one\n");
  await (await bench.follow(one())).stop();
  const sent = bench.received.length;
  writeFileSync(join(bench.state, "positions"), text);
  const file = join(bench.state, "positions");
  await expect(bench.follow(one())).rejects.toThrow(
    new RegExp(`^cannot read the positions in ${file}: .+; move it away to ship all files anew`),
  );
  expect(bench.received).toHaveLength(sent);
});

test("a refused token ends it, and loses nothing", async () => {
  const guarded = await ShipBench.start({ ingestTokens: [{ name: "ada", token: TOKEN }] });
  writeFileSync(guarded.path("a.log"), "one\n");
  const options = { patterns: [guarded.path("a.log")] };
  const refused = await guarded.follow(options);
  await expect(refused.ended).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  await refused.stop();
  expect(refused.shipped).toEqual({ acknowledged: 0, refused: 0, unsent: 1 });
  const allowed: Following = await guarded.follow({ ...options, token: TOKEN });
  await guarded.stores("one");
  await allowed.stop();
  await guarded.stop();
});
