import { createHash } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder } from "./cached-folder.ts";
import { goProgram } from "./go-toolchain.ts";
import { runProgram } from "./run-program.ts";

/** go.mod and go.sum: Jaeger 2.13.0, which is version 1.76.0 of its module. */
const SOURCE = join(import.meta.dirname, "jaeger");
const PROGRAM = "jaeger";
const PACKAGE = "github.com/jaegertracing/jaeger/cmd/jaeger";
/** Seven minutes on two processors without anything in Go's caches. */
const BUILD_DEADLINE_MS = 1_800_000;

/**
 * Jaeger's program, built once and kept under `cacheDir` by what it is built from.
 * @throws StackError BACKEND_UNAVAILABLE with the end of what Go said.
 */
export async function jaegerProgram(cacheDir: string): Promise<string> {
  const sums = await readFile(join(SOURCE, "go.sum"));
  const key = createHash("sha256").update(sums).digest("hex").slice(0, 16);
  const folder = await cachedFolder({ cacheDir, name: `jaeger-${key}` }, async (fresh) => {
    const go = await goProgram(cacheDir);
    for (const file of ["go.mod", "go.sum"]) await cp(join(SOURCE, file), join(fresh, file));
    const output = ["-trimpath", "-ldflags", "-s -w", "-o", join(fresh, PROGRAM)];
    await runProgram({
      program: "env",
      args: ["GOTOOLCHAIN=local", "GOFLAGS=-mod=readonly", go, "build", ...output, PACKAGE],
      deadlineMs: BUILD_DEADLINE_MS,
      cwd: fresh,
    });
  });
  return join(folder, PROGRAM);
}
