import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { runProgram } from "./backends/run-program.ts";
import { CODE_FOLDER, codeStemOf, TYPES_FOLDER } from "./published-manifest.ts";

const PROGRAMS = resolve(import.meta.dirname, "../node_modules/.bin");
const BUILD_DEADLINE_MS = 120_000;
const DECLARATION = ".d.ts";
/** How a file beside the running one is named that is loaded only when it is needed. */
const LOADED_LATER = /`\.\/([a-z0-9-]+)\$\{ext(?:ension|name\(import\.meta\.url\))\}`/g;

export interface LibrarySource {
  /** The package's folder. */
  readonly folder: string;
  /** Sources that others import, as `./src/index.ts`. */
  readonly entries: readonly string[];
  /** Types are not checked, for those who measure while others work on the sources. */
  readonly isUnchecked: boolean;
}

/**
 * Builds a package that others import. Its modules are put together into few files, because each
 * file that Node resolves and reads costs a service about half a millisecond at its start. What
 * several entries share is in files that they share, so that its state is there once.
 */
export async function buildLibrary(source: LibrarySource, dist: string): Promise<void> {
  const { folder, entries, isUnchecked } = source;
  const later = await findLoadedLater(join(folder, "src"));
  await runProgram({
    program: join(PROGRAMS, "esbuild"),
    args: [
      ...[...entries.map((path) => join(folder, path)), ...later],
      ...["--bundle", "--splitting", "--format=esm", "--platform=node", "--packages=external"],
      ...[`--outdir=${join(dist, CODE_FOLDER)}`, "--entry-names=[name]", "--log-level=warning"],
      // Without --keep-names: it names each closure anew whenever it is made, 0.4 µs of a request.
      "--target=node22.15",
    ],
    deadlineMs: BUILD_DEADLINE_MS,
  });
  await writeRequireEntries(dist, entries);
  const types = join(dist, TYPES_FOLDER);
  await runProgram({
    program: join(PROGRAMS, "tsc"),
    args: [
      ...["-p", join(folder, "tsconfig.build.json"), "--emitDeclarationOnly", "--outDir", types],
      ...(isUnchecked ? ["--noCheck"] : []),
    ],
    deadlineMs: BUILD_DEADLINE_MS,
  });
  await writeDeclarations(types);
}

/** Sources that are loaded by their file's name: an entry each, beside those that load them. */
async function findLoadedLater(modules: string): Promise<readonly string[]> {
  const names = new Set<string>();
  const files = await readdir(modules, { recursive: true });
  for (const file of files.filter((name) => name.endsWith(".ts"))) {
    const text = await readFile(join(modules, file), "utf8");
    for (const [, name] of text.matchAll(LOADED_LATER)) names.add(`${name}.ts`);
  }
  return files.filter((file) => names.has(basename(file))).map((file) => join(modules, file));
}

/**
 * What `require` of the package finds: for each entry one line that loads the very same ES module
 * (Node ≥ 22.12 can), so that the package's state is there once however it is loaded.
 */
async function writeRequireEntries(dist: string, entries: readonly string[]): Promise<void> {
  for (const source of entries) {
    const stem = codeStemOf(source);
    const code = `"use strict";\nmodule.exports = require("./${basename(stem)}.js");\n`;
    await writeFile(join(dist, `${stem}.cjs`), code);
  }
}

/**
 * TypeScript is stricter than Node: under `moduleResolution` node16 a CommonJS file may not see
 * declarations of an ES module. So each declaration stands there a second time, as CommonJS.
 */
async function writeDeclarations(types: string): Promise<void> {
  const files = await readdir(types, { recursive: true });
  for (const file of files.filter((name) => name.endsWith(DECLARATION))) {
    const path = join(types, file);
    const text = await readFile(path, "utf8");
    await writeFile(path, withEnding(text, "js"));
    const stem = path.slice(0, -DECLARATION.length);
    await writeFile(`${stem}.d.cts`, withEnding(text, "cjs"));
  }
}

/** Declarations whose relative imports have the ending of what is published, not of a source. */
export function withEnding(declarations: string, ending: "js" | "cjs"): string {
  return declarations.replaceAll(/(["'])(\.{1,2}\/[^"']*)\.ts\1/g, `$1$2.${ending}$1`);
}
