/** Builds the web page where it is not there or older than its sources: `npm run build`. */
import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { readLaunchConfig } from "./config.ts";
import { messageOf, StackError } from "./errors.ts";

const REPOSITORY = resolve(import.meta.dirname, "..");
const PAGE = join(REPOSITORY, "collector", "web");
const STAMP = ".sources";
/** What the page is made of beside its own folder. */
const SHARED_SOURCES = [
  join(REPOSITORY, "package-lock.json"),
  join(REPOSITORY, "instrumentation", "src", "wire-names.ts"),
  join(REPOSITORY, "collector", "src", "record.ts"),
];
/** Folders that hold what is made, not what it is made of. */
const MADE_FOLDERS = new Set(["dist", "node_modules", ".cache", "test"]);
const BUILD_DEADLINE_MS = 120_000;
const SWAP_ATTEMPTS_MAX = 5;
const OUTPUT_CHARACTERS_MAX = 10_000;

export interface PageBuild {
  readonly isBuilt: boolean;
  readonly durationMs: number;
}

/**
 * Builds into a folder of its own and swaps it in, so that a page being served is never half new.
 * @param page the folder with the page's `vite.config.ts`; tests give another one.
 * @throws StackError BUILD_FAILED with what Vite said.
 */
export async function buildPage(signal: AbortSignal, page: string = PAGE): Promise<PageBuild> {
  const startedMs = performance.now();
  const dist = join(page, "dist");
  const sources = await hashSources(page);
  const isBuilt = (await findStamp(dist)) !== sources;
  if (isBuilt) {
    const fresh = join(page, ".cache", randomUUID());
    try {
      await runVite({ page, fresh, signal });
      await writeFile(join(fresh, STAMP), sources);
      await swap({ fresh, dist });
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
  return { isBuilt, durationMs: performance.now() - startedMs };
}

/** Contents, not times: a checkout gives every file a new time. */
async function hashSources(page: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of [...SHARED_SOURCES, ...(await listSources(page))]) {
    hash
      .update(`${relative(page, file)}\0`)
      .update(await readFile(file))
      .update("\0");
  }
  return hash.digest("hex");
}

async function listSources(folder: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isFile() && !entry.name.includes(".test.")) files.push(path);
    if (entry.isDirectory() && !MADE_FOLDERS.has(entry.name)) {
      files.push(...(await listSources(path)));
    }
  }
  return files;
}

async function findStamp(dist: string): Promise<string | undefined> {
  try {
    return await readFile(join(dist, STAMP), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function runVite(request: {
  page: string;
  fresh: string;
  signal: AbortSignal;
}): Promise<void> {
  const { page, fresh, signal } = request;
  const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin");
  const args = [join(vite, "vite.js"), "build", page, "--outDir", fresh, "--emptyOutDir"];
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [...args, "--logLevel", "warn"], {
      cwd: REPOSITORY,
      // A test runner's NODE_ENV would give a page for developers.
      env: { ...readLaunchConfig().inherited, NODE_ENV: "production" },
      stdio: ["ignore", "pipe", "pipe"],
      signal: AbortSignal.any([signal, AbortSignal.timeout(BUILD_DEADLINE_MS)]),
    });
    let output = "";
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", (cause) => reject(failed(cause.message, cause)));
    child.once("close", (code) => (code === 0 ? resolve() : reject(failed(told(output)))));
  });
}

/** What Vite says of the sources, without colours and without the stack of its own code. */
function told(output: string): string {
  return stripVTControlCharacters(output).split("\n    at ", 1)[0]?.trim() ?? "";
}

/** Two processes may build at once; the last one's page stays, and either is right. */
async function swap({ fresh, dist }: { fresh: string; dist: string }): Promise<void> {
  const old = `${fresh}-old`;
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(dist, old).catch(unlessCode("ENOENT"));
      await rename(fresh, dist);
      break;
    } catch (error) {
      if (attempt === SWAP_ATTEMPTS_MAX) throw failed(messageOf(error), error);
      await rm(old, { recursive: true, force: true });
    }
  }
  await rm(old, { recursive: true, force: true });
}

function unlessCode(code: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== code) throw error;
  };
}

function failed(reason: string, cause?: unknown): StackError {
  return new StackError("BUILD_FAILED", `cannot build the web page: ${reason}`, { cause });
}

if (import.meta.main) {
  try {
    const { isBuilt, durationMs } = await buildPage(AbortSignal.timeout(BUILD_DEADLINE_MS));
    const seconds = (durationMs / 1000).toFixed(1);
    console.log(isBuilt ? `built the page in ${seconds} s` : "the page is as its sources are");
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = error instanceof StackError ? error.exitCode : 1;
  }
}
