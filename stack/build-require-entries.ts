import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { REQUIRE_FOLDER, requireStemOf, stemOf } from "./published-manifest.ts";

const SOURCE_FOLDER = "src";
const DECLARATION = ".d.ts";

/**
 * Writes what `require` of a package finds: for each entry one line that loads the very same ES
 * module (Node ≥ 22.12 can), so that the package's state is there once however it is loaded.
 *
 * TypeScript is stricter than Node: under `moduleResolution` node16 a CommonJS file may not see
 * declarations of an ES module. So the declarations stand there a second time, as CommonJS.
 */
export async function writeRequireEntries(
  dist: string,
  exports: Readonly<Record<string, string>>,
): Promise<void> {
  for (const source of Object.values(exports)) {
    const stem = requireStemOf(source);
    const module = posix.relative(posix.dirname(stem), `${stemOf(source)}.js`);
    const target = join(dist, `${stem}.cjs`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, `"use strict";\nmodule.exports = require("${module}");\n`);
  }
  const files = await readdir(join(dist, SOURCE_FOLDER), { recursive: true });
  for (const file of files.filter((name) => name.endsWith(DECLARATION))) {
    const path = join(dist, SOURCE_FOLDER, file);
    const text = await readFile(path, "utf8");
    await writeFile(path, withEnding(text, "js"));
    const target = join(dist, REQUIRE_FOLDER, `${file.slice(0, -DECLARATION.length)}.d.cts`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, withEnding(text, "cjs"));
  }
}

/** Declarations whose relative imports have the ending of what is published, not of a source. */
export function withEnding(declarations: string, ending: "js" | "cjs"): string {
  return declarations.replaceAll(/(["'])(\.{1,2}\/[^"']*)\.ts\1/g, `$1$2.${ending}$1`);
}
