import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readBackendsConfig } from "../config.ts";
import { javaHome } from "./elasticsearch-java.ts";

/** Newer than any that a machine may have, so that the one named in the environment is taken. */
const NEWEST = "999.0.1";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "clew-java-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("ES_JAVA_HOME goes before JAVA_HOME", async () => {
  const [first, second] = [await jdk("first", NEWEST), await jdk("second", NEWEST)];
  const config = readBackendsConfig({ ES_JAVA_HOME: first, JAVA_HOME: second });
  expect(javaHome(9, config)).toBe(first);
  expect(javaHome(9, readBackendsConfig({ JAVA_HOME: second }))).toBe(second);
});

test("a Java that is too old is passed over, and so is what is no Java", async () => {
  const [old, enough] = [await jdk("old", "17.0.15"), await jdk("enough", "21.0.1")];
  const javaHomes = [join(folder, "nothing here"), old, enough];
  expect(javaHome(8, { javaHomes })).toBe(old);
  expect(javaHome(9, { javaHomes })).toBe(enough);
});

async function jdk(name: string, version: string): Promise<string> {
  const home = join(folder, name);
  await mkdir(home);
  await writeFile(join(home, "release"), `IMPLEMENTOR="x"\nJAVA_VERSION="${version}"\n`);
  return home;
}
