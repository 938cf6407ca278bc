import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { runProgram } from "./backends/run-program.ts";
import { messageOf } from "./errors.ts";

const REPOSITORY = resolve(import.meta.dirname, "..");
const COMPILE_DEADLINE_MS = 120_000;

interface PublishedPackage {
  readonly folder: string;
  /** Files that are published as they are. */
  readonly copied: readonly string[];
}

/** In the order in which they need each other. */
const PACKAGES: readonly PublishedPackage[] = [
  { folder: "instrumentation", copied: ["README.md"] },
  { folder: "collector", copied: ["web/dist"] },
];

/**
 * Builds what is published into `<package>/dist`: JavaScript and declarations beside a manifest of
 * their own. In the repository the packages run as TypeScript, so that nothing must be built first.
 */
export async function buildPackages(): Promise<readonly string[]> {
  const built: string[] = [];
  for (const published of PACKAGES) built.push(await buildPackage(published));
  return built;
}

async function buildPackage(published: PublishedPackage): Promise<string> {
  const folder = join(REPOSITORY, published.folder);
  const dist = join(folder, "dist");
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist);
  await runProgram({
    program: join(REPOSITORY, "node_modules", ".bin", "tsc"),
    args: ["-p", join(folder, "tsconfig.build.json")],
    deadlineMs: COMPILE_DEADLINE_MS,
  });
  for (const file of published.copied) {
    await cp(join(folder, file), join(dist, file), { recursive: true });
  }
  await cp(join(REPOSITORY, "LICENSE"), join(dist, "LICENSE"));
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  await copyPrograms(folder, manifest.bin ?? {});
  await writeFile(
    join(dist, "package.json"),
    `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`,
  );
  return dist;
}

/** Programs are JavaScript already; only what they import has another ending. */
async function copyPrograms(folder: string, programs: Record<string, string>): Promise<void> {
  for (const path of Object.values(programs)) {
    const source = await readFile(join(folder, path), "utf8");
    const target = join(folder, "dist", path);
    await mkdir(resolve(target, ".."), { recursive: true });
    await writeFile(target, source.replaceAll(/\.ts"/g, '.js"'), { mode: 0o755 });
  }
}

interface Manifest {
  readonly [field: string]: unknown;
  readonly exports?: Readonly<Record<string, string>>;
}

/** Each entry with its declarations first, as resolvers want it; nothing of development. */
export function publishedManifest(manifest: Manifest): Manifest {
  const { private: _private, devDependencies: _dev, exports, ...kept } = manifest;
  if (exports === undefined) return kept;
  const entries = Object.entries(exports).map(([name, source]) => {
    const file = source.replace(/\.ts$/, "");
    return [name, { types: `${file}.d.ts`, default: `${file}.js` }];
  });
  return { ...kept, exports: Object.fromEntries(entries) };
}

if (import.meta.main) {
  try {
    for (const dist of await buildPackages()) console.log(`built ${relative(REPOSITORY, dist)}`);
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
