import { redactAssignments } from "./assignments.ts";
import { redactCardNumbers } from "./card-numbers.ts";
import type { SecretNames } from "./secret-names.ts";

export const REDACTED = "[redacted]";

/**
 * What every secret in a text has at least one of; most lines have none and are done. In this form
 * it takes 50 ns for 60 characters: with the words written out ("bearer", "basic") it took 200.
 */
const SUSPICIOUS = /[=:@]|eyJ|er [!-~]{8}|ER [!-~]{8}|ic [!-~]{8}|EY--|\d(?:[ -]?\d){12}/;
const SCHEME = /arer |ARER |asic |ASIC /;
const CARD_LIKE = /\d(?:[ -]?\d){12}/;

/** Header, payload and signature of a JSON Web Token (RFC 7519), at the beginning of a word. */
const WEB_TOKEN = /(?<![\w-])eyJ[\w-]{2,}\.[\w-]+\.[\w-]*/g;
/** What an Authorization header holds (RFC 6750, RFC 7617), without it; not "bearer token". */
const BEARER =
  /\b(bearer) (?!authenti|authori|credential|token|scheme|format|header)[\w.~+/=-]{8,}/gi;
/** Base64 of more than a letter and lower case: "Basic validation" is none. */
const BASIC = /\b(basic|Basic|BASIC) (?=[A-Za-z][a-z]*[A-Z0-9+/=])[A-Za-z0-9+/]{8,}={0,2}/g;
const PRIVATE_KEY =
  /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|$)/g;
/** Longest user information of a URL (RFC 3986, 3.2.1) that is looked for. */
const USER_INFO_CHARACTERS_MAX = 512;
const USER_INFO_END = /[\s/?#"'<>]/;

/**
 * A text in which `[redacted]` stands for what looks like a secret: values behind secret names
 * (`password=…`, `"token": "…"`, `Authorization: Bearer …`), credentials in URLs, JSON Web Tokens,
 * private keys and card numbers. The rest is kept. Work grows with the text's length only.
 */
export function redactText(text: string, names: SecretNames): string {
  if (!SUSPICIOUS.test(text)) return text;
  let kept = text;
  if (kept.includes("--BEGIN")) kept = kept.replace(PRIVATE_KEY, REDACTED);
  if (kept.includes("@")) kept = redactUserInfo(kept);
  kept = redactAssignments(kept, names, REDACTED);
  if (kept.includes("eyJ")) kept = kept.replace(WEB_TOKEN, REDACTED);
  if (SCHEME.test(kept)) {
    kept = kept.replace(BEARER, `$1 ${REDACTED}`).replace(BASIC, `$1 ${REDACTED}`);
  }
  return CARD_LIKE.test(kept) ? redactCardNumbers(kept, REDACTED) : kept;
}

/** `//user:password@host`: what stands before each `@` is read backwards, up to a bound. */
function redactUserInfo(text: string): string {
  let kept = "";
  let from = 0;
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    const before = text.slice(Math.max(from, at - USER_INFO_CHARACTERS_MAX), at);
    const slashes = before.lastIndexOf("//");
    const info = before.slice(slashes + 2);
    if (slashes === -1 || !info.includes(":") || USER_INFO_END.test(info)) continue;
    kept += `${text.slice(from, at - info.length)}${REDACTED}`;
    from = lastAt(text, at);
    at = from;
  }
  return from === 0 ? text : kept + text.slice(from);
}

/** A password may hold an `@` itself: the host follows the last one. */
function lastAt(text: string, first: number): number {
  let last = first;
  const end = Math.min(text.length, first + USER_INFO_CHARACTERS_MAX);
  for (let at = first + 1; at < end && !USER_INFO_END.test(text[at] ?? " "); at++) {
    if (text[at] === "@") last = at;
  }
  return last;
}
