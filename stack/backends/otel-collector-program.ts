import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { cachedFolder } from "./cached-folder.ts";
import { goProgram } from "./go-toolchain.ts";
import { runProgram } from "./run-program.ts";

export const OTEL_COLLECTOR_VERSION = "0.157.0";

/** `builder.yaml` pins every part, beside what stands in for a module that cannot be had. */
const SOURCE = join(import.meta.dirname, "../../bench/peers/receive");
const BUILDER = `go.opentelemetry.io/collector/cmd/builder@v${OTEL_COLLECTOR_VERSION}`;
/** `name` and `output_path` of builder.yaml. */
const BUILT = "dist/otel-collector";
const PROGRAM = "otel-collector";
/** Five minutes on two processors without anything in Go's caches, seconds with it. */
const BUILD_DEADLINE_MS = 1_200_000;

/**
 * The OpenTelemetry Collector's program, built by its own builder once and kept under `cacheDir` by
 * the content of what it is built from. Several processes may ask at once: each that finds none
 * builds it, and one of the results is kept.
 * @throws StackError BACKEND_UNAVAILABLE with the end of what Go or the builder said.
 */
export async function otelCollectorProgram(cacheDir: string): Promise<string> {
  const name = `otel-collector-${await contentKey()}`;
  const folder = await cachedFolder({ cacheDir, name }, async (fresh) => {
    const workDir = join(fresh, "build");
    await cp(SOURCE, workDir, { recursive: true });
    await build(workDir, await goProgram(cacheDir));
    await rename(join(workDir, BUILT), join(fresh, PROGRAM));
    await rm(workDir, { recursive: true });
  });
  return join(folder, PROGRAM);
}

async function build(workDir: string, go: string): Promise<void> {
  const toolsDir = join(workDir, "tools");
  await mkdir(toolsDir);
  const deadlineMs = BUILD_DEADLINE_MS;
  await runProgram({
    program: "env",
    args: [`GOBIN=${toolsDir}`, "GOTOOLCHAIN=local", go, "install", BUILDER],
    deadlineMs,
  });
  const config = join(workDir, "builder.yaml");
  // The builder would take the first Go on the path, which may be the old one.
  if (isAbsolute(go)) await nameGo(config, go);
  await runProgram({
    program: "env",
    args: ["GOTOOLCHAIN=local", join(toolsDir, "builder"), "--config", config],
    deadlineMs,
    cwd: workDir,
  });
}

async function nameGo(config: string, go: string): Promise<void> {
  const text = await readFile(config, "utf8");
  await writeFile(config, text.replace(/^dist:\n/m, `dist:\n  go: ${JSON.stringify(go)}\n`));
}

async function contentKey(): Promise<string> {
  const entries = await readdir(SOURCE, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name)).toSorted();
  const hash = createHash("sha256").update(BUILDER);
  for (const path of paths) {
    hash.update(path.slice(SOURCE.length)).update(await readFile(path));
  }
  return hash.digest("hex").slice(0, 16);
}
