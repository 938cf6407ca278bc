import { createHash } from "node:crypto";
import { access, copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
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
  const folder = join(cacheDir, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (await isThere(folder)) return folder;
  await mkdir(cacheDir, { recursive: true });
  const fresh = await mkdtemp(join(cacheDir, `${name}-installing-`));
  try {
    for (const file of MANIFESTS) await copyFile(join(source, file), join(fresh, file));
    await runProgram({
      program: "npm",
      args: ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
      deadlineMs: INSTALL_DEADLINE_MS,
      cwd: fresh,
    });
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process was faster: its folder was made from the same lock file.
    if (!(await isThere(folder))) throw error;
  }
  return folder;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
