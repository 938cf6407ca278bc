import type { ElasticsearchConfig, ElasticsearchLogin } from "./config.ts";

/**
 * How Elasticsearch is reached, as plain data that can be sent to a thread: for the client, and for
 * the bulk requests that are made without it.
 */
export interface ElasticsearchConnection {
  /** `https://host:port`, perhaps with a path, without a slash at the end; at least one. */
  readonly urls: readonly string[];
  /** Of every request: who we are, where there is a login. Never to be shown. */
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates in PEM to trust, in place of those that Node.js does; absent: those. */
  readonly ca: string | undefined;
  readonly connectTimeoutMs: number;
  /** For one answer; a longer one is given up, and may still be carried out. */
  readonly requestTimeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;

export function elasticsearchConnection(config: ElasticsearchConfig): ElasticsearchConnection {
  const { urls, login, ca } = config;
  return {
    urls,
    headers: login === undefined ? {} : { authorization: authorization(login) },
    ca: ca?.text,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  };
}

/** RFC 7617 for a password, Elasticsearch's own scheme for a key. */
function authorization(login: ElasticsearchLogin): string {
  if (login.kind === "api-key") return `ApiKey ${login.key}`;
  const pair = Buffer.from(`${login.username}:${login.password}`, "utf8");
  return `Basic ${pair.toString("base64")}`;
}
