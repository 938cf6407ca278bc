/** OpenTelemetry's own exporters for Go, Java and Python, and what sends with them. */
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder } from "../backends/cached-folder.ts";
import { goProgram } from "../backends/go-toolchain.ts";
import { pythonVenv } from "../backends/python-venv.ts";
import { runProgram } from "../backends/run-program.ts";
import { type BackendsConfig, readBackendsConfig } from "../config.ts";

/** A program to be started with `TRANSACTION_ID PAIRS`, told the rest by `OTEL_*` variables. */
export type Sender = readonly [program: string, ...args: string[]];

const GO_FOLDER = join(import.meta.dirname, "go");
const JAVA_FOLDER = join(import.meta.dirname, "java");
const PYTHON_FOLDER = join(import.meta.dirname, "python");
/** A minute on two processors without anything in Go's caches. */
const BUILD_DEADLINE_MS = 600_000;
const TELEMETRYGEN =
  "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen" as const;

export const GO_SENDER = "otlp-senders";

/** The folder with `otlp-senders` and `telemetrygen`, built once per content of `go.sum`. */
export async function goPrograms(cacheDir: string): Promise<string> {
  const key = await contentKey(GO_FOLDER, ["go.mod", "go.sum", "main.go"]);
  return cachedFolder({ cacheDir, name: `go-senders-${key}` }, async (fresh) => {
    const build = ["build", "-C", GO_FOLDER, "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"];
    await runProgram({
      program: "env",
      args: ["GOTOOLCHAIN=local", await goProgram(cacheDir), ...build, "-o", fresh].concat([
        ".",
        TELEMETRYGEN,
      ]),
      deadlineMs: BUILD_DEADLINE_MS,
    });
  });
}

/** The folder with the compiled `Main` (`classes`) and the exporters that it needs (`libs`). */
export async function javaClasses(cacheDir: string): Promise<string> {
  const key = await contentKey(JAVA_FOLDER, ["pom.xml", "Main.java"]);
  return cachedFolder({ cacheDir, name: `java-senders-${key}` }, async (fresh) => {
    const libs = join(fresh, "libs");
    const classes = join(fresh, "classes");
    await mkdir(classes);
    const copy = ["dependency:copy-dependencies", "-DincludeScope=runtime"];
    await runProgram({
      program: "mvn",
      args: [
        ...["-B", "-q", "-C", "-f", join(JAVA_FOLDER, "pom.xml")],
        ...[...copy, `-DoutputDirectory=${libs}`],
      ],
      deadlineMs: BUILD_DEADLINE_MS,
    });
    await runProgram({
      program: "javac",
      args: [
        ...["-encoding", "UTF-8", "-cp", join(libs, "*"), "-d", classes],
        join(JAVA_FOLDER, "Main.java"),
      ],
      deadlineMs: BUILD_DEADLINE_MS,
    });
  });
}

export type Language = "Go" | "Java" | "Python";

export async function senderOf(
  language: Language,
  { cacheDir, javaProgram }: BackendsConfig = readBackendsConfig(),
): Promise<Sender> {
  if (language === "Go") return [join(await goPrograms(cacheDir), GO_SENDER)];
  if (language === "Python") {
    const requirementsFile = join(PYTHON_FOLDER, "requirements.txt");
    return [await pythonVenv({ requirementsFile, cacheDir }), join(PYTHON_FOLDER, "pairs.py")];
  }
  const folder = await javaClasses(cacheDir);
  const classPath = `${join(folder, "classes")}:${join(folder, "libs", "*")}`;
  return [javaProgram, "-XX:TieredStopAtLevel=1", "-cp", classPath, "Main"];
}

async function contentKey(folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(await readFile(join(folder, file)));
  return hash.digest("hex").slice(0, 16);
}
