/** What the environment says of Elasticsearch. */
import { type Environment, findSecret, invalid, list } from "../../environment.ts";
import { readCertificates } from "../../tls-files.ts";

export interface ElasticsearchConfig {
  /** `https://host:port`, perhaps with a path, without a slash at the end; at least one. */
  readonly urls: readonly string[];
  /** Absent: without authentication. */
  readonly login: ElasticsearchLogin | undefined;
  /** Absent: what Node.js trusts. */
  readonly ca: { readonly path: string; readonly text: string } | undefined;
}

export type ElasticsearchLogin =
  /** `id:key` in base64, as Elasticsearch calls it `encoded`. */
  | { readonly kind: "api-key"; readonly key: string }
  | { readonly kind: "password"; readonly username: string; readonly password: string };

/** Names of variables that messages speak of. */
export const ELASTICSEARCH_VARIABLE = {
  url: "CLEW_ELASTICSEARCH_URL",
  apiKey: "CLEW_ELASTICSEARCH_API_KEY",
  username: "CLEW_ELASTICSEARCH_USERNAME",
  password: "CLEW_ELASTICSEARCH_PASSWORD",
  ca: "CLEW_ELASTICSEARCH_CA",
} as const;

const LOOPBACK_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]"]);
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/**
 * Reads what the collector needs to use Elasticsearch as its store.
 * @returns undefined where no address is given: the store is embedded then.
 * @throws ClewError CONFIG_INVALID: one line with the variable, its value (never a secret) and
 * what is allowed.
 */
export function readElasticsearchConfig(env: Environment): ElasticsearchConfig | undefined {
  const named = list(env[ELASTICSEARCH_VARIABLE.url] ?? "");
  if (named.length === 0) {
    refuseWithoutUrl(env);
    return undefined;
  }
  const urls = named.map(parseUrl);
  const login = readLogin(env);
  if (login !== undefined) refuseSecretsInTheClear(env, urls);
  const { ca: variable } = ELASTICSEARCH_VARIABLE;
  const file = env[variable];
  if (file && urls.every((url) => url.startsWith("http:"))) {
    throw invalid(variable, file, `nothing without https in ${ELASTICSEARCH_VARIABLE.url}`);
  }
  const ca = file ? { path: file, text: readCertificates({ variable, file }) } : undefined;
  return Object.freeze({ urls, login, ca });
}

/** Who sets any of these believes that Elasticsearch is used. */
function refuseWithoutUrl(env: Environment): void {
  const { url, ...others } = ELASTICSEARCH_VARIABLE;
  for (const name of Object.values(others)) {
    if (!env[name] && !env[`${name}_FILE`]) continue;
    throw invalid(name, "(set)", `nothing while ${url} is not set`);
  }
}

function parseUrl(text: string): string {
  const { url: name, username } = ELASTICSEARCH_VARIABLE;
  const allowed = "https://host:port, several separated by commas";
  const url = URL.parse(text);
  if (url === null) throw invalid(name, text, allowed);
  if (url.username !== "" || url.password !== "") {
    throw invalid(name, "(secret)", `${allowed}, with the user in ${username}`);
  }
  const isHttp = url.protocol === "https:" || url.protocol === "http:";
  if (!isHttp || url.search !== "" || url.hash !== "") throw invalid(name, text, allowed);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** An API key or a user with a password, never both: nobody could tell which one counts. */
function readLogin(env: Environment): ElasticsearchLogin | undefined {
  const names = ELASTICSEARCH_VARIABLE;
  const key = findSecret(env, names.apiKey);
  const username = env[names.username] || undefined;
  const password = findSecret(env, names.password);
  if (key === undefined && username === undefined && password === undefined) return undefined;
  if (key !== undefined) {
    if (username !== undefined || password !== undefined) {
      throw invalid(names.apiKey, "(secret)", `either an API key or ${names.username}, not both`);
    }
    return { kind: "api-key", key: encodedKey(key) };
  }
  if (username === undefined || username.includes(":")) {
    throw invalid(names.username, username ?? "", "the user's name, which holds no colon");
  }
  if (password === undefined) {
    const allowed = `the password, or its file in ${names.password}_FILE`;
    throw invalid(names.password, "", allowed);
  }
  return { kind: "password", username, password };
}

/** Elasticsearch shows a key's id and secret apart, and both together in base64. */
function encodedKey(key: string): string {
  if (/^[\x21-\x39\x3b-\x7e]+:[\x21-\x7e]+$/.test(key)) return Buffer.from(key).toString("base64");
  if (BASE64.test(key)) return key;
  const allowed = "an API key in base64 (encoded), or its id:key";
  throw invalid(ELASTICSEARCH_VARIABLE.apiKey, "(secret)", allowed);
}

function refuseSecretsInTheClear(env: Environment, urls: readonly string[]): void {
  if (env.CLEW_INSECURE === "1") return;
  const open = urls.find((text) => {
    const { protocol, hostname } = new URL(text);
    return protocol === "http:" && !LOOPBACK_HOSTS.has(hostname);
  });
  if (open === undefined) return;
  const allowed = "https where a key or password is sent (or CLEW_INSECURE=1 to do without)";
  throw invalid(ELASTICSEARCH_VARIABLE.url, open, allowed);
}
