import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { npmFolder } from "../../../stack/backends/npm-folder.ts";
import { runProgram } from "../../../stack/backends/run-program.ts";
import { buildPackage } from "../../../stack/build-packages.ts";

/** Programs that are measured, and the lock file of what they and the peers need. */
const SOURCE = join(import.meta.dirname, "../../peers/instrumentation");
const INSTALL_DEADLINE_MS = 120_000;

const VERSIONS_TOLD = [
  "@clew/instrumentation",
  "@opentelemetry/auto-instrumentations-node",
  "@elastic/opentelemetry-node",
  "hono",
  "@hono/node-server",
  "pino",
  "winston",
  "bunyan",
];

export interface BenchProject {
  /** Holds the programs, and everything that they load in its node_modules. */
  readonly folder: string;
}

/**
 * A project as a user has it: the programs, the peers as their lock file says (from the cache), and
 * our package built, packed and installed with dependencies of its own.
 */
export async function makeBenchProject(of: {
  readonly dir: string;
  readonly cacheDir: string;
}): Promise<BenchProject> {
  const peers = await instrumentationPeers(of.cacheDir);
  const folder = join(of.dir, "project");
  const modules = join(folder, "node_modules");
  await mkdir(modules, { recursive: true });
  for (const entry of await readdir(join(peers, "node_modules"))) {
    if (entry.startsWith(".")) continue;
    await symlink(join(peers, "node_modules", entry), join(modules, entry));
  }
  const ours = await installOurs(of.dir);
  await symlink(join(ours, "node_modules", "@clew"), join(modules, "@clew"));
  for (const file of await readdir(SOURCE)) {
    if (file.endsWith(".js")) await cp(join(SOURCE, file), join(folder, file));
  }
  await writeFile(join(folder, "package.json"), '{"name":"bench-service","type":"module"}');
  return { folder };
}

/** The folder with the peers and what the programs need, fetched once. */
export function instrumentationPeers(cacheDir: string): Promise<string> {
  return npmFolder({ source: SOURCE, name: "peers-instrumentation", cacheDir });
}

/** What was measured, as it is installed. */
export async function versionsIn({ folder }: BenchProject): Promise<Record<string, string>> {
  const versions: Record<string, string> = { node: process.versions.node };
  for (const name of VERSIONS_TOLD) {
    const path = join(folder, "node_modules", name, "package.json");
    const manifest: unknown = JSON.parse(await readFile(path, "utf8"));
    const isStated = typeof manifest === "object" && manifest !== null && "version" in manifest;
    versions[name] = isStated ? String(manifest.version) : "unknown";
  }
  return versions;
}

/** Built without a check of types, because others may be at work on the sources. */
async function installOurs(dir: string): Promise<string> {
  const dist = await buildPackage("instrumentation", {
    into: join(dir, "dist"),
    isUnchecked: true,
  });
  const folder = join(dir, "ours");
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), '{"private":true}');
  const npm = (cwd: string, ...args: string[]) =>
    runProgram({ program: "npm", args, cwd, deadlineMs: INSTALL_DEADLINE_MS });
  const { stdout } = await npm(dist, "pack", "--silent", "--pack-destination", folder);
  const tarball = join(folder, stdout.trim());
  await npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", tarball);
  return folder;
}
