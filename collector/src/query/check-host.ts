import { type Config, isLoopback } from "../config.ts";
import { ClewError } from "../errors.ts";

const OWN_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Refuses names that only DNS rebinding brings to a loopback listener without tokens: a page of
 * another origin could otherwise have its own name point here and read every answer.
 * @throws ClewError HOST_REFUSED
 */
export function checkHost(hostHeader: string | undefined, listens: AccessRules): void {
  if (!isLoopback(listens.host) || listens.queryTokens.length > 0) return;
  const name = (hostHeader ?? "").toLowerCase().replace(/:\d+$/, "");
  if (OWN_NAMES.has(name)) return;
  const allowed = [...OWN_NAMES].join(", ");
  throw new ClewError(
    "HOST_REFUSED",
    `cannot answer for host ${JSON.stringify(name.slice(0, 100))}: allowed are ${allowed}`,
  );
}

export interface AccessRules {
  readonly host: string;
  readonly queryTokens: Config["queryTokens"];
}
