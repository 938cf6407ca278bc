import { BlockList, isIP } from "node:net";

/** Answers are remembered for this many hosts; a service talks to few. */
const REMEMBERED_MAX = 1000;

/** RFC 1918 and RFC 4193. Link-local is left out: 169.254.169.254 is the clouds' metadata. */
const PRIVATE = new BlockList();
PRIVATE.addSubnet("10.0.0.0", 8, "ipv4");
PRIVATE.addSubnet("172.16.0.0", 12, "ipv4");
PRIVATE.addSubnet("192.168.0.0", 16, "ipv4");
PRIVATE.addSubnet("fc00::", 7, "ipv6");

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether a host may be sent IDs. */
export type HostFilter = (host: string) => boolean;

/**
 * Builds the filter of `CLEW_OUTBOUND_HOSTS`. A pattern is a host name, an address, `*.suffix`,
 * `*`, or one of the classes `loopback`, `private` (RFC 1918, RFC 4193) and `single-label`. It
 * looks at the host as the service wrote it and never resolves a name.
 */
export function createHostFilter(patterns: readonly string[]): HostFilter {
  const remembered = new Map<string, boolean>();
  return (host) => {
    const known = remembered.get(host);
    if (known !== undefined) return known;
    const plain = plainHost(host);
    const isAllowed = plain !== "" && patterns.some((pattern) => matches(pattern, plain));
    if (remembered.size < REMEMBERED_MAX) remembered.set(host, isAllowed);
    return isAllowed;
  };
}

/** A host without brackets and trailing dot, in lower case. */
function plainHost(host: string): string {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  return bare.toLowerCase().replace(/\.$/, "");
}

function matches(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  if (pattern === "loopback") return isLoopback(host);
  if (pattern === "private") return isListed(PRIVATE, host);
  if (pattern === "single-label") return isIP(host) === 0 && !host.includes(".");
  if (pattern.startsWith("*.")) return host.endsWith(pattern.slice(1));
  return host === plainHost(pattern);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || isListed(LOOPBACK, host);
}

function isListed(list: BlockList, host: string): boolean {
  const version = isIP(host);
  return version !== 0 && list.check(host, version === 4 ? "ipv4" : "ipv6");
}
