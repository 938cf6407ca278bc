import { createHash } from "node:crypto";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder } from "./cached-folder.ts";
import { runProgram } from "./run-program.ts";

const INSTALL_DEADLINE_MS = 300_000;
const MANIFESTS = ["package.json", "package-lock.json"] as const;

/**
 * A folder with exactly the packages of a committed package.json and package-lock.json, none of
 * whose scripts ran. It is kept under `cacheDir` by the content of both; several processes may ask
 * at once, and a folder is there whole or not.
 */
export async function npmFolder(request: {
  /** The folder that holds the two files. */
  readonly source: string;
  /** How the folder in the cache begins. */
  readonly name: string;
  readonly cacheDir: string;
}): Promise<string> {
  const { source, name, cacheDir } = request;
  const hash = createHash("sha256");
  for (const file of MANIFESTS) hash.update(await readFile(join(source, file)));
  const key = hash.digest("hex").slice(0, 16);
  return cachedFolder({ cacheDir, name: `${name}-${key}` }, async (fresh) => {
    for (const file of MANIFESTS) await copyFile(join(source, file), join(fresh, file));
    await runProgram({
      program: "npm",
      args: ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
      deadlineMs: INSTALL_DEADLINE_MS,
      cwd: fresh,
    });
  });
}
