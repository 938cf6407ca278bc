import { checkToken } from "../../check-token.ts";
import { type Config, VARIABLE } from "../../config.ts";
import { ClewError } from "../../errors.ts";

/** Who acted, where no tokens are set. */
export const ANONYMOUS = "anonymous";

export interface AdminRules {
  readonly queryTokens: Config["queryTokens"];
  readonly adminTokens: Config["adminTokens"];
}

/**
 * Only an admin's token opens what can change or resend records. Without any token at all the
 * collector is open to whoever reaches it; where only query tokens are set, nobody is an admin.
 * @returns the name of the token that was given
 * @throws ClewError UNAUTHENTICATED
 */
export function checkAdmin(
  authorization: string | undefined,
  { queryTokens, adminTokens }: AdminRules,
): string {
  if (adminTokens.length === 0 && queryTokens.length > 0) {
    const why = `dead letters take an admin's token, and ${VARIABLE.adminTokens} has none`;
    throw new ClewError("UNAUTHENTICATED", `cannot answer: ${why}`);
  }
  return checkToken(authorization, adminTokens) ?? ANONYMOUS;
}

/** What of a request's headers says where it came from. */
export interface ActHeaders {
  readonly contentType: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

/**
 * Refuses what a page of another origin makes a browser send: a form can send no JSON, anything
 * else than a form names its origin, and no answer of ours allows another one.
 * @throws ClewError MEDIA_TYPE_UNSUPPORTED, HOST_REFUSED
 */
export function checkActOrigin({ contentType, host, origin, fetchSite }: ActHeaders): void {
  const isOwnSite = fetchSite === undefined || fetchSite === "same-origin" || fetchSite === "none";
  const isOwnOrigin = origin === undefined || URL.parse(origin)?.host === host;
  if (!isOwnSite || !isOwnOrigin) {
    const from = JSON.stringify((origin ?? fetchSite ?? "").slice(0, 100));
    throw new ClewError("HOST_REFUSED", `cannot act for a page of ${from}: it is another's`);
  }
  const mediaType = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType === "application/json") return;
  const allowed = "allowed is application/json";
  const given = JSON.stringify((contentType ?? "").slice(0, 100));
  throw new ClewError("MEDIA_TYPE_UNSUPPORTED", `cannot read ${given}: ${allowed}`);
}
