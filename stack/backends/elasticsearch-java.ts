import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type BackendsConfig, readBackendsConfig } from "../config.ts";
import { StackError } from "../errors.ts";
import type { ElasticsearchMajor } from "./elasticsearch-home.ts";
import { hasPrograms } from "./required-programs.ts";

const JAVA_MAJOR_MIN: Readonly<Record<ElasticsearchMajor, number>> = { 8: 17, 9: 21 };
/** Where Linux distributions put theirs. */
const JVM_FOLDERS = ["/usr/lib/jvm", "/usr/java", "/opt/java"];

/** Whether a real Elasticsearch of these versions can be started here; else as `hasPrograms`. */
export function requireElasticsearch(
  skipped: string,
  majors: readonly ElasticsearchMajor[] = [9],
  config: BackendsConfig = readBackendsConfig(),
): boolean {
  const least = Math.max(...majors.map((major) => JAVA_MAJOR_MIN[major]));
  const java = join(findJavaHome(least, config) ?? `java-${least}`, "bin", "java");
  return hasPrograms(
    skipped,
    [
      { command: [java, "-version"], toInstall: `Java ${least} or newer` },
      { command: ["mvn", "--version"], toInstall: "Maven" },
      { command: ["openssl", "version"], toInstall: "openssl" },
      { command: ["setpriv", "--version"], toInstall: "util-linux, on Linux" },
    ],
    config,
  );
}

/**
 * The home of a Java that Elasticsearch of this major version runs on: one that the environment
 * names, or the newest one that is installed.
 * @throws StackError PROGRAM_MISSING with what to install.
 */
export function javaHome(
  major: ElasticsearchMajor,
  config: Pick<BackendsConfig, "javaHomes">,
): string {
  const least = JAVA_MAJOR_MIN[major];
  const home = findJavaHome(least, config);
  if (home !== undefined) return home;
  throw new StackError(
    "PROGRAM_MISSING",
    `cannot run Elasticsearch ${major}: install Java ${least} or newer, or name it in ES_JAVA_HOME`,
  );
}

function findJavaHome(
  majorMin: number,
  { javaHomes }: Pick<BackendsConfig, "javaHomes">,
): string | undefined {
  return [...javaHomes, ...installed()].find((home) => javaMajor(home) >= majorMin);
}

/** The homes of every Java installed, the newest first. */
function installed(): readonly string[] {
  const homes = JVM_FOLDERS.flatMap((folder) =>
    (readIfThere(() => readdirSync(folder)) ?? []).map((name) => join(folder, name)),
  );
  return homes.toSorted((a, b) => javaMajor(b) - javaMajor(a));
}

/** From the file `release`, which every JDK has: `JAVA_VERSION="25.0.1"`. 0: no Java is there. */
function javaMajor(home: string): number {
  const release = readIfThere(() => readFileSync(join(home, "release"), "utf8")) ?? "";
  return Number(/^JAVA_VERSION="(\d+)/m.exec(release)?.[1] ?? 0);
}

function readIfThere<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
