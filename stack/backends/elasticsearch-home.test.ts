import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkSum } from "./elasticsearch-home.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "clew-home-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("only the file that is pinned is used", async () => {
  const file = join(folder, "distribution.zip");
  await writeFile(file, "zip");
  const sha256 = createHash("sha256").update("zip").digest("hex");
  await checkSum(file, sha256);
  await writeFile(file, "zap");
  await expect(checkSum(file, sha256)).rejects.toThrow(
    `cannot use Elasticsearch: ${file} is not what it was`,
  );
});
