import { type Environment, invalid, list, readTextFile } from "./environment.ts";

/** A token, and the name under which its acts are remembered. */
export interface NamedToken {
  readonly name: string;
  readonly token: string;
}

const TOKEN_CHARACTERS_MIN = 8;
const NAME = /^[A-Za-z][A-Za-z0-9_.@-]{0,39}$/;
const ALLOWED = "tokens of 8 or more printable characters, each alone or as name:token";

/**
 * Reads a list of tokens, which is in the variable itself or in the file that `<NAME>_FILE` names.
 * An item is `name:token`, or a token alone, which is called by its place: `admin-1` is the first
 * of `CLEW_ADMIN_TOKENS`. What stands before a colon is a name only where it looks like one and a
 * token is left behind it.
 * @param role what the tokens without a name are called, before their number
 * @throws ClewError CONFIG_INVALID, which never shows a token
 */
export function parseTokens(
  env: Environment,
  { variable, role }: { readonly variable: string; readonly role: string },
): readonly NamedToken[] {
  const file = env[`${variable}_FILE`];
  if (file && env[variable]) {
    throw invalid(variable, "(secret)", `either ${variable} or ${variable}_FILE, not both`);
  }
  const text = file ? readTextFile(`${variable}_FILE`, file) : (env[variable] ?? "");
  const tokens = list(text).map((item, index) => parseToken(item, `${role}-${index + 1}`));
  const isSound = ({ token }: NamedToken) =>
    token.length >= TOKEN_CHARACTERS_MIN && /^[\x21-\x7e]+$/.test(token);
  if (!tokens.every(isSound)) throw invalid(variable, "(secret)", ALLOWED);
  const names = new Set(tokens.map(({ name }) => name));
  if (names.size < tokens.length) throw invalid(variable, "(secret)", "a name once only");
  return tokens;
}

function parseToken(item: string, fallback: string): NamedToken {
  const colon = item.indexOf(":");
  const name = item.slice(0, Math.max(0, colon));
  const token = item.slice(colon + 1);
  if (!NAME.test(name) || token.length < TOKEN_CHARACTERS_MIN)
    return { name: fallback, token: item };
  return { name, token };
}
