import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * A folder of the cache that is there whole or not at all, though several processes may ask for it
 * at once: it is made under another name, and the first that is done gives it its own.
 *
 * @param make fills the empty folder that it is given
 * @throws what `make` throws, unless another process was faster
 */
export async function cachedFolder(
  { cacheDir, name }: { readonly cacheDir: string; readonly name: string },
  make: (fresh: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheDir, name);
  if (await isThere(folder)) return folder;
  await mkdir(cacheDir, { recursive: true });
  const fresh = await mkdtemp(join(cacheDir, `making-${name}-`));
  try {
    await make(fresh);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
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
