import type { KafkaConfig } from "../bus/kafka/config.ts";
import { readConfig } from "../config.ts";
import type { NamedToken } from "../named-token.ts";
import type { ElasticsearchConfig } from "../store/elasticsearch/config.ts";
import type { Terminal } from "./terminal.ts";
import { parseCommandLine } from "./usage-error.ts";

const SECRETS = new Set(["ingestTokens", "queryTokens", "adminTokens"]);

/** `clew config`: what the collector would start with; a wrong value is one line, exit code 1. */
export async function showConfig(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = parseCommandLine({
    command: "config",
    args,
    positionalsMax: 0,
    options: { check: { type: "boolean" }, json: { type: "boolean" } },
  });
  const config = readConfig();
  if (values.check) return 0;
  const shown = Object.entries(config).map(([name, value]) => [name, showValue(name, value)]);
  if (values.json) {
    terminal.print(JSON.stringify(Object.fromEntries(shown), null, 2));
    return 0;
  }
  const width = Math.max(...shown.map(([name]) => String(name).length));
  for (const [name, value] of shown) {
    const text = Array.isArray(value) ? value.join(", ") || "(none)" : asText(value);
    terminal.print(`${terminal.colour("dim", String(name).padEnd(width))}  ${text}`);
  }
  return 0;
}

function asText(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** Of a secret only how many there are, or the file that it is in. */
function showValue(name: string, value: unknown): unknown {
  if (name === "tls") return showTls(value);
  if (name === "kafka") return value === undefined ? "(none)" : showKafka(value as KafkaConfig);
  if (name === "elasticsearch") {
    return value === undefined ? "(none)" : showElasticsearch(value as ElasticsearchConfig);
  }
  if (!SECRETS.has(name) || !Array.isArray(value)) return value;
  return value.length === 0 ? "(none)" : showTokens(value);
}

/** The names only. */
function showTokens(tokens: readonly NamedToken[]): string {
  return `(${tokens.length}: ${tokens.map(({ name }) => name).join(", ")}; not shown)`;
}

/** The file by its name, who we are without what proves it. */
function showElasticsearch({ urls, login, ca }: ElasticsearchConfig): object {
  const user = login?.kind === "password" ? { username: login.username } : {};
  const shown = login && { kind: login.kind, ...user, secret: "(not shown)" };
  return { urls, login: shown ?? null, ca: ca?.path ?? null };
}

/** Files by their names, the password not at all. */
function showKafka({ tls, sasl, ...rest }: KafkaConfig): object {
  const files = Object.entries(tls ?? {}).map(([name, file]) => [name, file?.path ?? null]);
  const account = sasl && { ...sasl, password: "(not shown)" };
  return { ...rest, tls: tls ? Object.fromEntries(files) : null, sasl: account ?? null };
}

function showTls(value: unknown): string {
  if (typeof value !== "object" || value === null || !("certFile" in value)) return "(none)";
  return String(value.certFile);
}
