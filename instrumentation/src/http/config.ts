import { type ConfigSource, readList, text } from "../config-values.ts";

/** `loopback`, `private` and `single-label` stand for whole classes of hosts. */
export const DEFAULT_OUTBOUND_HOSTS: readonly string[] = [
  "loopback",
  "private",
  "single-label",
  "*.svc",
  "*.internal",
];

/** Whom IDs are taken from, and whom they are told. */
export function readHttpConfig(source: ConfigSource) {
  return { trustInbound: readTrust(source), outboundHosts: readHosts(source) };
}

function readTrust({ env, warnings }: ConfigSource): boolean {
  const value = text(env.CLEW_TRUST_INBOUND) ?? "1";
  if (value === "0" || value === "false") return false;
  if (value !== "1" && value !== "true") {
    warnings.push(`CLEW_TRUST_INBOUND is "${value}", allowed are 1 and 0`);
  }
  return true;
}

function readHosts({ env }: ConfigSource): readonly string[] {
  const value = text(env.CLEW_OUTBOUND_HOSTS);
  if (value === undefined) return DEFAULT_OUTBOUND_HOSTS;
  return readList(value).map((host) => host.toLowerCase());
}
