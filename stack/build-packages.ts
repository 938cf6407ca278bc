import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { runProgram } from "./backends/run-program.ts";
import { buildLibrary } from "./build-library.ts";
import { messageOf } from "./errors.ts";
import { isModule, type Manifest, publishedManifest } from "./published-manifest.ts";

const REPOSITORY = resolve(import.meta.dirname, "..");
const COMPILE_DEADLINE_MS = 120_000;

/** What is published as it is, by package; in the order in which they need each other. */
const COPIED_FILES = {
  instrumentation: ["README.md"],
  collector: ["web/dist"],
} as const satisfies Record<string, readonly string[]>;

export type PublishedPackage = keyof typeof COPIED_FILES;

export interface BuildOptions {
  /** Where the package is built, by default its folder's `dist`. What is there is removed. */
  readonly into?: string;
  /** Without checking types, for those who measure while others work on the sources. */
  readonly isUnchecked?: boolean;
}

/** Builds everything that is published, each package into its `dist`. */
export async function buildPackages(): Promise<readonly string[]> {
  const built: string[] = [];
  for (const name of Object.keys(COPIED_FILES)) {
    built.push(await buildPackage(name as PublishedPackage));
  }
  return built;
}

/**
 * Builds what is published: JavaScript and declarations beside a manifest of their own. In the
 * repository the packages run as TypeScript, so that nothing must be built first.
 *
 * @returns the folder to be packed
 */
export async function buildPackage(
  name: PublishedPackage,
  { into, isUnchecked = false }: BuildOptions = {},
): Promise<string> {
  const folder = join(REPOSITORY, name);
  const dist = into ?? join(folder, "dist");
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const manifest: Manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const { exports } = manifest;
  if (exports === undefined) await compileProgram(folder, dist);
  else {
    const entries = Object.values(exports).filter(isModule);
    await buildLibrary({ folder, entries, isUnchecked }, dist);
  }
  for (const file of COPIED_FILES[name]) {
    await cp(join(folder, file), join(dist, file), { recursive: true });
  }
  await cp(join(REPOSITORY, "LICENSE"), join(dist, "LICENSE"));
  await copyPrograms({ folder, dist, programs: manifest.bin ?? {} });
  const text = JSON.stringify(publishedManifest(manifest), null, 2);
  await writeFile(join(dist, "package.json"), `${text}\n`);
  return dist;
}

/** A program's modules stay files of their own: its threads are started by their names. */
async function compileProgram(folder: string, dist: string): Promise<void> {
  await runProgram({
    program: join(REPOSITORY, "node_modules", ".bin", "tsc"),
    args: ["-p", join(folder, "tsconfig.build.json"), "--outDir", join(dist, "src")],
    deadlineMs: COMPILE_DEADLINE_MS,
  });
}

/** Programs are JavaScript already; only what they import has another ending. */
async function copyPrograms(to: {
  readonly folder: string;
  readonly dist: string;
  readonly programs: Readonly<Record<string, string>>;
}): Promise<void> {
  for (const path of Object.values(to.programs)) {
    const source = await readFile(join(to.folder, path), "utf8");
    const target = join(to.dist, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, source.replaceAll(/\.ts"/g, '.js"'), { mode: 0o755 });
  }
}

if (import.meta.main) {
  try {
    for (const dist of await buildPackages()) console.log(`built ${relative(REPOSITORY, dist)}`);
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
