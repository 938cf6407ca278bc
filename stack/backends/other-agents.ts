import { join } from "node:path";
import { npmFolder } from "./npm-folder.ts";

const SOURCE = join(import.meta.dirname, "other-agents");

/** The folder with agents of other makers, fetched once and kept under `cacheDir`. */
export function otherAgents(cacheDir: string): Promise<string> {
  return npmFolder({ source: SOURCE, name: "other-agents", cacheDir });
}
