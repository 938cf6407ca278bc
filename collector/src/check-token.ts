import { createHash, timingSafeEqual } from "node:crypto";
import { ClewError } from "./errors.ts";

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
