import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkJars } from "./kafka-jars.ts";

const SHA256 = createHash("sha256").update("jar").digest("hex");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "clew-jars-"));
  await writeFile(join(folder, "a.jar"), "jar");
});
afterEach(() => rm(folder, { recursive: true }));

test("takes exactly the files that are pinned", async () => {
  await checkJars(folder, new Map([["a.jar", SHA256]]));
});

test.each([
  ["a changed file", { "a.jar": SHA256.replace(/./, "x") }, "a.jar is not what it was"],
  ["a file too many", {}, "a.jar is not in libs.sha256"],
  ["a file too few", { "a.jar": SHA256, "b.jar": SHA256 }, "b.jar was not fetched"],
])("refuses %s", async (_, pinned, reason) => {
  await expect(checkJars(folder, new Map(Object.entries(pinned)))).rejects.toThrow(
    `cannot use the jars of Kafka: ${reason}`,
  );
});
