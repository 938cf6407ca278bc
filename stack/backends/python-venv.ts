import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder } from "./cached-folder.ts";
import { runProgram } from "./run-program.ts";

const CREATE_DEADLINE_MS = 60_000;
const INSTALL_DEADLINE_MS = 300_000;

/**
 * The Python of a virtual environment with exactly the packages of `requirementsFile` (versions
 * pinned, dependencies listed), made once and kept under `cacheDir` by that file's content and the
 * version of Python.
 */
export async function pythonVenv(request: {
  requirementsFile: string;
  cacheDir: string;
}): Promise<string> {
  const { requirementsFile, cacheDir } = request;
  const deadlineMs = CREATE_DEADLINE_MS;
  const { stdout } = await runProgram({ program: "python3", args: ["-VV"], deadlineMs });
  const pins = await readFile(requirementsFile, "utf8");
  const key = createHash("sha256").update(stdout).update(pins).digest("hex").slice(0, 16);
  const folder = await cachedFolder({ cacheDir, name: `python-${key}` }, async (fresh) => {
    await runProgram({ program: "python3", args: ["-m", "venv", fresh], deadlineMs });
    const install = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"];
    await runProgram({
      program: join(fresh, "bin", "python"),
      args: [...install, "--disable-pip-version-check", "-r", requirementsFile],
      deadlineMs: INSTALL_DEADLINE_MS,
    });
  });
  return join(folder, "bin", "python");
}
