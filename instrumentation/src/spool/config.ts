import { hash } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type ConfigSource, text } from "../config-values.ts";

export interface SpoolSettings {
  /** Absolute folder of all spools on this machine; undefined: records wait in memory. */
  readonly directory: string | undefined;
  /** Bytes that the spool of one process may take up. */
  readonly limitBytes: number;
}

/** Enough to tell the collectors of one machine apart. */
const COLLECTOR_DIGITS = 8;
const DEFAULT_LIMIT_BYTES = 512 * 1024 * 1024;
const LIMIT_BYTES_MIN = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

/** Where records wait until the collector has them. */
export function readSpoolConfig(source: ConfigSource): SpoolSettings {
  const directory = text(source.env.CLEW_SPOOL_DIR);
  return {
    directory: directory === "off" ? undefined : resolve(directory ?? defaultDirectory(source)),
    limitBytes: readLimit(source),
  };
}

/**
 * Each user has one for each collector: a folder of somebody else's is not to be trusted, and what
 * one project left behind on a developer's machine is not for another's collector.
 */
function defaultDirectory({ env }: ConfigSource): string {
  const own = ["LOGS", "TRACES"].map((signal) => env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
  const collector = [env.OTEL_EXPORTER_OTLP_ENDPOINT, ...own].map(text).join(" ");
  const user = process.getuid?.() ?? 0;
  const name = hash("sha256", collector).slice(0, COLLECTOR_DIGITS);
  return join(tmpdir(), `clew-spool-${user}`, name);
}

function readLimit({ env, warnings }: ConfigSource): number {
  const value = text(env.CLEW_SPOOL_LIMIT);
  if (value === undefined) return DEFAULT_LIMIT_BYTES;
  const match = /^(\d{1,15})\s*([kmg]i?b)?$/i.exec(value);
  const unit = UNITS[(match?.[2] ?? "").toLowerCase()];
  const bytes = Number(match?.[1]) * (unit ?? Number.NaN);
  if (bytes >= LIMIT_BYTES_MIN) return bytes;
  warnings.push(`CLEW_SPOOL_LIMIT is "${value}", allowed are sizes from 1MiB, as in 512MiB or 2GB`);
  return DEFAULT_LIMIT_BYTES;
}
