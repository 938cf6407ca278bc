import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { buildPackage, type PublishedPackage } from "../build-packages.ts";

const run = promisify(execFile);
const MODULES = resolve(import.meta.dirname, "../../node_modules");

/** An empty project of a user, into which a package was installed as npm would publish it. */
export interface InstalledPackage {
  /** The project's folder. */
  readonly project: string;
  readonly tarball: string;
  remove(): Promise<void>;
}

/**
 * Builds, packs and installs one of our packages.
 *
 * @param libraries packages of the repository that the user's project has as well
 */
export async function installPackage(
  name: PublishedPackage,
  libraries: readonly string[] = [],
): Promise<InstalledPackage> {
  const folder = await mkdtemp(join(tmpdir(), "clew-installed-"));
  const project = join(folder, "project");
  const dist = await buildPackage(name, { into: join(folder, "dist") });
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: dist,
  });
  const tarball = join(folder, packed.stdout.trim());
  await mkdir(project);
  await writeFile(join(project, "package.json"), '{"name":"shop","type":"module"}');
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], {
    cwd: project,
  });
  for (const library of libraries) {
    const link = join(project, "node_modules", library);
    await mkdir(dirname(link), { recursive: true });
    await rm(link, { recursive: true, force: true });
    await symlink(join(MODULES, library), link);
  }
  return { project, tarball, remove: () => rm(folder, { recursive: true, force: true }) };
}
