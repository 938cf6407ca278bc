import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { StackError } from "../errors.ts";
import { cachedFolder } from "./cached-folder.ts";
import { runProgram } from "./run-program.ts";

/** `pom.xml` pins the versions, `libs.sha256` every jar. */
export const KAFKA_FOLDER = join(import.meta.dirname, "kafka");

const FETCH_DEADLINE_MS = 300_000;

/**
 * The folder with Kafka's jars: fetched by Maven once, checked, and kept under `cacheDir` by the
 * content of what pins them. Several processes may ask at once; a folder is there whole or not.
 */
export async function kafkaJars(cacheDir: string): Promise<string> {
  const pom = await readFile(join(KAFKA_FOLDER, "pom.xml"), "utf8");
  const sums = await readFile(join(KAFKA_FOLDER, "libs.sha256"), "utf8");
  const key = createHash("sha256").update(pom).update(sums).digest("hex").slice(0, 16);
  return cachedFolder({ cacheDir, name: `kafka-${key}` }, async (fresh) => {
    await fetchJars(fresh);
    await checkJars(fresh, parseChecksums(sums));
  });
}

/**
 * That the folder holds exactly the files named, each with its checksum.
 * @throws StackError BACKEND_UNAVAILABLE naming the first file that differs.
 */
export async function checkJars(
  folder: string,
  checksums: ReadonlyMap<string, string>,
): Promise<void> {
  const files = new Set(await readdir(folder));
  for (const file of new Set([...checksums.keys(), ...files])) {
    const want = checksums.get(file);
    if (want === undefined) throw refused(`${file} is not in libs.sha256`);
    if (!files.has(file)) throw refused(`${file} was not fetched`);
    if ((await checksum(join(folder, file))) !== want) throw refused(`${file} is not what it was`);
  }
}

function fetchJars(folder: string): Promise<unknown> {
  return runProgram({
    program: "mvn",
    args: [
      ...["-B", "-q", "-C", "-f", join(KAFKA_FOLDER, "pom.xml"), "dependency:copy-dependencies"],
      ...["-DincludeScope=runtime", `-DoutputDirectory=${folder}`],
    ],
    deadlineMs: FETCH_DEADLINE_MS,
  });
}

/** Lines of `sha256sum`: 64 hex digits, two spaces, the file's name. */
function parseChecksums(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

async function checksum(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function refused(reason: string): StackError {
  return new StackError("BACKEND_UNAVAILABLE", `cannot use the jars of Kafka: ${reason}`);
}
