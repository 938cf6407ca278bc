import { createHash, timingSafeEqual } from "node:crypto";
import { ClewError } from "./errors.ts";
import type { NamedToken } from "./named-token.ts";

/** How a token may be sent: the schemes beside `Bearer` are those of Elasticsearch's clients. */
export type TokenScheme = "bearer" | "basic" | "apikey";

const BEARER_ONLY: readonly TokenScheme[] = ["bearer"];

/**
 * RFC 6750 §2.1. Digests are compared, in constant time, so that neither the length nor the first
 * wrong byte of a guess can be measured; every token is looked at.
 * @returns the name of the token that was given; undefined where none is needed
 * @throws ClewError UNAUTHENTICATED
 */
export function checkToken(
  authorization: string | undefined,
  tokens: readonly NamedToken[],
  schemes: readonly TokenScheme[] = BEARER_ONLY,
): string | undefined {
  if (tokens.length === 0) return undefined;
  const given = findToken(authorization, schemes);
  let found: string | undefined;
  if (given !== undefined) {
    const digest = sha256(given);
    for (const { name, token } of tokens) {
      if (timingSafeEqual(digest, sha256(token))) found = name;
    }
  }
  if (found !== undefined) return found;
  const why = given === undefined ? "no bearer token was sent" : "the bearer token is not known";
  throw new ClewError("UNAUTHENTICATED", `cannot answer: ${why}`);
}

/**
 * The token of `Bearer <token>`; of `Basic` (RFC 7617) the password, of `ApiKey` the key: what
 * stands behind the first colon in their base64.
 */
function findToken(
  authorization: string | undefined,
  schemes: readonly TokenScheme[],
): string | undefined {
  const [, name = "", given] = /^(\w+) +([\x21-\x7e]+)$/.exec(authorization ?? "") ?? [];
  const scheme = schemes.find((candidate) => candidate === name.toLowerCase());
  if (scheme === undefined || given === undefined) return undefined;
  if (scheme === "bearer") return given;
  const pair = Buffer.from(given, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : pair.slice(colon + 1);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
