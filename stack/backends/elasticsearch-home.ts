import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { StackError } from "../errors.ts";
import { cachedFolder } from "./cached-folder.ts";
import { runProgram } from "./run-program.ts";

export type ElasticsearchMajor = 8 | 9;

/**
 * Elastic's own distribution without its optional modules, as Maven's central repository has it:
 * server, security, data streams and search are the real ones. It lacks painless, ingest pipelines,
 * ILM, ES|QL, `GET /`, the APIs of users and API keys (users come from files), and the field types
 * of optional modules, as `match_only_text` and `scaled_float`.
 */
export const ELASTICSEARCH_RELEASES: Readonly<
  Record<ElasticsearchMajor, { readonly version: string; readonly sha256: string }>
> = {
  8: {
    version: "8.19.21",
    sha256: "215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a",
  },
  9: {
    version: "9.5.3",
    sha256: "bec49f3b8d00e75c8d1cec85c35298635ec9fbd3ae80ef5aeb6bc05abdb3db2d",
  },
};

/** Whom the server runs as where we are root, which it refuses. Debian's `nobody`. */
export const UNPRIVILEGED_ID = 65_534;

const POM = join(import.meta.dirname, "elasticsearch", "pom.xml");
const FETCH_DEADLINE_MS = 300_000;
const CHMOD_DEADLINE_MS = 30_000;
/** Where root keeps what another user must be able to read (FHS 3.0, section 5.5). */
const SYSTEM_CACHE = "/var/cache/clew";
const OTHERS_MAY_ENTER = 0o001;

/**
 * The home of a real Elasticsearch: fetched by Maven once, checked, and kept under `cacheDir` (for
 * root under /var/cache where others may not enter `cacheDir`) by the content of what pins it.
 * Several processes may ask at once; the folder is there whole or not.
 * @throws StackError BACKEND_UNAVAILABLE with the end of what Maven said, or for another checksum.
 */
export async function elasticsearchHome(
  cacheDir: string,
  major: ElasticsearchMajor = 9,
): Promise<string> {
  const { version, sha256 } = ELASTICSEARCH_RELEASES[major];
  const pom = await readFile(POM);
  const key = createHash("sha256").update(pom).update(sha256).digest("hex").slice(0, 16);
  const name = `elasticsearch-${version}-${key}`;
  const folder = await cachedFolder(
    { cacheDir: await enterable(cacheDir), name },
    async (fresh) => {
      const fetched = join(fresh, "fetched");
      await maven("dependency:copy", { version, folder: fetched });
      await checkSum(join(fetched, `elasticsearch-${version}.zip`), sha256);
      await rm(fetched, { recursive: true });
      // From Maven's own cache, where the file just checked came from.
      await maven("dependency:unpack", { version, folder: fresh });
      const args = ["-R", "a+rX", fresh];
      await runProgram({ program: "chmod", args, deadlineMs: CHMOD_DEADLINE_MS });
    },
  );
  return join(folder, `elasticsearch-${version}`);
}

/** @throws StackError BACKEND_UNAVAILABLE where the file is not the one that is pinned. */
export async function checkSum(file: string, sha256: string): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  if (hash.digest("hex") === sha256) return;
  throw new StackError(
    "BACKEND_UNAVAILABLE",
    `cannot use Elasticsearch: ${file} is not what it was`,
  );
}

/** `cacheDir`, or where we are root and others may not enter it, a folder that they may. */
async function enterable(cacheDir: string): Promise<string> {
  if (process.getuid?.() !== 0) return cacheDir;
  await mkdir(cacheDir, { recursive: true });
  for (let folder = cacheDir; folder !== dirname(folder); folder = dirname(folder)) {
    if (((await stat(folder)).mode & OTHERS_MAY_ENTER) === 0) return SYSTEM_CACHE;
  }
  return cacheDir;
}

function maven(
  goal: string,
  { version, folder }: { version: string; folder: string },
): Promise<unknown> {
  const defined = [`-Des.version=${version}`, `-Dfolder=${folder}`];
  const args = ["-B", "-ntp", "-q", "-f", POM, goal, ...defined];
  return runProgram({ program: "mvn", args, deadlineMs: FETCH_DEADLINE_MS });
}
