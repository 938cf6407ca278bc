import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import type { Machine } from "./bench-report.ts";

const GIB = 1024 ** 3;
const PACKAGE = join(import.meta.dirname, "../../collector/package.json");

/** What the figures were measured on. */
export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / GIB),
    os: `${type()} ${release()}`,
  };
}

/** What was measured. */
export function describeVersions(): Readonly<Record<string, string>> {
  const stated: unknown = JSON.parse(readFileSync(PACKAGE, "utf8"));
  const isStated = typeof stated === "object" && stated !== null && "version" in stated;
  return {
    clew: isStated ? String(stated.version) : "unknown",
    node: process.versions.node,
    sqlite: process.versions.sqlite ?? "unknown",
  };
}
