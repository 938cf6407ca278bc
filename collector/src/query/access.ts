import { createHash, timingSafeEqual } from "node:crypto";
import { isLoopback } from "../config.ts";
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
  readonly queryTokens: readonly string[];
}

/**
 * RFC 6750 §2.1. Digests are compared, in constant time, so that neither the length nor the first
 * wrong byte of a guess can be measured; every token is looked at.
 * @throws ClewError UNAUTHENTICATED
 */
export function checkToken(authorization: string | undefined, tokens: readonly string[]): void {
  if (tokens.length === 0) return;
  const [, given] = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? "") ?? [];
  let isKnown = false;
  if (given !== undefined) {
    const digest = sha256(given);
    for (const token of tokens) isKnown = timingSafeEqual(digest, sha256(token)) || isKnown;
  }
  if (isKnown) return;
  const why = given === undefined ? "no bearer token was sent" : "the bearer token is not known";
  throw new ClewError("UNAUTHENTICATED", `cannot answer: ${why}`);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
