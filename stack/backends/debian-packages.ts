import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder } from "./cached-folder.ts";
import { runProgram } from "./run-program.ts";

const ASK_DEADLINE_MS = 60_000;
const FETCH_DEADLINE_MS = 300_000;
const INSTALL = ["-s", "-qq", "--no-install-recommends", "--reinstall", "install"];

/**
 * A folder with what Debian's packages of these names hold, and those they need that this machine
 * has not, in the versions that its apt offers: as `/` would be. Nothing is installed, and no
 * script of a package runs. It is kept under `cacheDir` by the names and by what this machine has;
 * several processes may ask at once.
 * @throws StackError BACKEND_UNAVAILABLE with the end of what apt or dpkg said.
 */
export async function debianPackages(request: {
  readonly names: readonly [string, ...string[]];
  readonly cacheDir: string;
}): Promise<string> {
  const { names, cacheDir } = request;
  // What the system has decides what the folder must hold beside it.
  const args = ["-W", "-f", "$" + "{Package}=$" + "{Version}:$" + "{Architecture}\\n"];
  const { stdout } = await runProgram({ program: "dpkg-query", args, deadlineMs: ASK_DEADLINE_MS });
  const key = createHash("sha256").update(stdout).update(names.join()).digest("hex").slice(0, 16);
  return cachedFolder({ cacheDir, name: `debian-${names[0]}-${key}` }, async (fresh) => {
    const work = join(fresh, "fetching");
    await mkdir(join(work, "lists", "partial"), { recursive: true });
    await fetchPackages(names, work);
    for (const file of await readdir(work)) {
      if (!file.endsWith(".deb")) continue;
      const unpack = ["-x", join(work, file), fresh];
      await runProgram({ program: "dpkg", args: unpack, deadlineMs: ASK_DEADLINE_MS });
    }
    await rm(work, { recursive: true });
  });
}

/** The folders of shared libraries below `root`, for `LD_LIBRARY_PATH`. */
export async function libraryFolders(root: string): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const parent of [join(root, "lib"), join(root, "usr", "lib")]) {
    const entries = await readdir(parent);
    folders.push(...entries.filter(isOfThisMachine).map((name) => join(parent, name)));
  }
  return folders;
}

/** As `x86_64-linux-gnu` (Debian's "multiarch" folders). */
function isOfThisMachine(name: string): boolean {
  return /^[a-z0-9_]+-linux-gnu[a-z0-9]*$/.test(name);
}

async function fetchPackages(names: readonly string[], work: string): Promise<void> {
  try {
    await download({ names, work, options: [] });
  } catch {
    // This machine's lists of packages are absent, or older than what the archive still has: lists
    // of our own are fetched, and what fails then is told.
    const options = ["-o", `Dir::State::lists=${join(work, "lists")}`, "-o", `Dir::Cache=${work}`];
    await apt({ args: [...options, "-qq", "update"], work });
    await download({ names, work, options });
  }
}

async function download(request: {
  names: readonly string[];
  work: string;
  options: readonly string[];
}): Promise<void> {
  const { names, work, options } = request;
  const plan = await apt({ args: [...options, ...INSTALL, ...names], work });
  await apt({ args: [...options, "-qq", "download", ...parsePlan(plan)], work });
}

/** Lines as `Inst libestr0 [0.1.10] (0.1.11-1 Debian:12/stable)`; an old version only at times. */
function parsePlan(plan: string): readonly string[] {
  const lines = plan.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) /gm);
  return [...lines].map(([, name, version]) => `${name}=${version}`);
}

async function apt(request: { args: readonly string[]; work: string }): Promise<string> {
  const { stdout } = await runProgram({
    program: "apt-get",
    args: request.args,
    deadlineMs: FETCH_DEADLINE_MS,
    cwd: request.work,
  });
  return stdout;
}
