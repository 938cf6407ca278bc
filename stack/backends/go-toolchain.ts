import { chmod, cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { StackError } from "../errors.ts";
import { cachedFolder } from "./cached-folder.ts";
import { runProgram } from "./run-program.ts";

/** What the servers that are built here ask for in their go.mod. */
const NEEDED = { major: 1, minor: 25 } as const;
/** Fetched as a module, with the checksum database's consent, where the machine's Go is older. */
const FETCHED_VERSION = "1.26.8";
const PLATFORMS: Readonly<Record<string, string>> = { x64: "linux-amd64", arm64: "linux-arm64" };
/** An archive of modules says nothing of who may run a file. */
const PROGRAM_FOLDERS = ["bin", "pkg/tool"] as const;
const PROGRAM_MODE = 0o755;
const ASK_DEADLINE_MS = 20_000;
const FETCH_DEADLINE_MS = 300_000;

/**
 * A Go that is new enough: the machine's own, else one that the machine's fetches (Debian 12 has
 * 1.19, which knows nothing of newer ones but can download a module).
 * @throws StackError BACKEND_UNAVAILABLE where there is none, and none can be fetched.
 */
export async function goProgram(cacheDir: string): Promise<string> {
  const ask = { program: "go", args: ["version"], deadlineMs: ASK_DEADLINE_MS };
  const { stdout } = await runProgram(ask);
  if (isNewEnough(stdout)) return "go";
  const module = `golang.org/toolchain@v0.0.1-go${FETCHED_VERSION}.${platform()}`;
  const name = `go-${FETCHED_VERSION}-${platform()}`;
  const folder = await cachedFolder({ cacheDir, name }, async (fresh) => {
    const download = ["mod", "download", "-json", module];
    const told = await runProgram({ program: "go", args: download, deadlineMs: FETCH_DEADLINE_MS });
    const { Dir } = JSON.parse(told.stdout) as { readonly Dir: string };
    await cp(Dir, fresh, { recursive: true });
    for (const part of PROGRAM_FOLDERS) await allowPrograms(join(fresh, part));
  });
  return join(folder, "bin", "go");
}

/** Of `go version go1.26.8 linux/amd64`; a development version is no release and not taken. */
export function isNewEnough(told: string): boolean {
  const [, major, minor] = /\bgo(\d+)\.(\d+)/.exec(told) ?? [];
  if (major === undefined || minor === undefined) return false;
  if (Number(major) !== NEEDED.major) return Number(major) > NEEDED.major;
  return Number(minor) >= NEEDED.minor;
}

async function allowPrograms(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await chmod(join(entry.parentPath, entry.name), PROGRAM_MODE);
  }
}

function platform(): string {
  const known = PLATFORMS[process.arch];
  if (process.platform === "linux" && known !== undefined) return known;
  const reason = `there is none for ${process.platform} on ${process.arch}; install Go 1.25`;
  throw new StackError("BACKEND_UNAVAILABLE", `cannot fetch Go: ${reason}`);
}
