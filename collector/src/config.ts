/** The collector's configuration: the only place that reads the environment. */
import { getCompileCacheDir } from "node:module";
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import { ATTRIBUTE } from "@clew/instrumentation/names";
import { KAFKA_VARIABLE, type KafkaConfig, readKafkaConfig } from "./bus/kafka/config.ts";
import { bytes, type Environment, integer, invalid, list } from "./environment.ts";
import { type NamedToken, parseTokens } from "./named-token.ts";
import { isNetwork } from "./network-list.ts";
import {
  ELASTICSEARCH_VARIABLE,
  type ElasticsearchConfig,
  readElasticsearchConfig,
} from "./store/elasticsearch/config.ts";
import { type NamedFile, readTlsIdentity, type TlsIdentity } from "./tls-files.ts";

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly otlpHttpPort: number;
  readonly otlpGrpcPort: number;
  /** Where a Jaeger reads what is kept here. */
  readonly jaegerPort: number;
  /** Of every port; absent: none encrypts. */
  readonly tls: TlsIdentity | undefined;
  readonly dataDir: string;
  /** What this process does of the collector's work; all of it unless both servers are others'. */
  readonly roles: readonly Role[];
  readonly ingestTokens: readonly NamedToken[];
  readonly queryTokens: readonly NamedToken[];
  readonly adminTokens: readonly NamedToken[];
  readonly retentionDays: number;
  /** 0: no limit. */
  readonly diskLimitBytes: number;
  readonly maxRequestBytes: number;
  readonly maxInFlightBytes: number;
  readonly transactionKeys: readonly string[];
  /** Networks that instances may be scraped in: CIDR, addresses, `loopback`, `private`. */
  readonly scrapeNetworks: readonly string[];
  /** Absent: no syslog. */
  readonly syslogPort: number | undefined;
  /** Networks that may send syslog, which knows no tokens. */
  readonly syslogNetworks: readonly string[];
  /** Absent: the embedded bus. */
  readonly kafka: KafkaConfig | undefined;
  /** Absent: the embedded store. */
  readonly elasticsearch: ElasticsearchConfig | undefined;
}

export const ROLES = ["ingest", "index", "query"] as const;
export type Role = (typeof ROLES)[number];

/** What a command needs that only talks to a collector: no server setting can make it fail. */
export interface ClientConfig {
  readonly queryUrl: string;
  readonly otlpUrl: string;
  /** The first token of each list, which a client presents. */
  readonly queryToken: string | undefined;
  readonly ingestToken: string | undefined;
  readonly adminToken: string | undefined;
  readonly transactionKeys: readonly string[];
  /** Below it `clew ship --follow` keeps its positions. */
  readonly dataDir: string;
  /** The certificates to trust beside the system's, and the variable that names their file. */
  readonly trusted: NamedFile;
  /** False where `NO_COLOR` is set to anything (no-color.org). */
  readonly mayColour: boolean;
}

/** Names of variables that messages speak of. */
export const VARIABLE = {
  port: "CLEW_PORT",
  otlpHttpPort: "CLEW_OTLP_HTTP_PORT",
  otlpGrpcPort: "CLEW_OTLP_GRPC_PORT",
  jaegerPort: "CLEW_JAEGER_PORT",
  syslogPort: "CLEW_SYSLOG_PORT",
  syslogNetworks: "CLEW_SYSLOG_NETWORKS",
  tlsCert: "CLEW_TLS_CERT",
  tlsKey: "CLEW_TLS_KEY",
  tlsCa: "CLEW_TLS_CA",
  dataDir: "CLEW_DATA_DIR",
  host: "CLEW_HOST",
  queryTokens: "CLEW_QUERY_TOKENS",
  ingestTokens: "CLEW_INGEST_TOKENS",
  adminTokens: "CLEW_ADMIN_TOKENS",
  roles: "CLEW_ROLES",
  diskLimit: "CLEW_DISK_LIMIT",
  retentionDays: "CLEW_RETENTION_DAYS",
} as const;

const MIB = 1024 * 1024;
const DEFAULT_TRANSACTION_KEYS =
  "transaction_id, transactionId, correlation_id, correlationId, labels.transaction_id";
const LOOPBACK_HOSTS = new Set(["127.0.0.1", "::1", "localhost"]);
/** Node's own; a thread reads it when it starts. */
const compileCacheVariable = "NODE_COMPILE_CACHE";
const EVERY_ADDRESS = new Set(["0.0.0.0", "::"]);
const EVERY_NETWORK = ["0.0.0.0/0", "::/0"];

/**
 * Reads and checks every variable.
 * @throws ClewError CONFIG_INVALID: one line with the variable, its value (never a secret) and
 * what is allowed.
 */
export function readConfig(env: Environment = process.env): Config {
  const config: Config = Object.freeze({
    host: host(env),
    port: integer(env, VARIABLE.port, { fallback: 4320, min: 0, max: 65_535 }),
    otlpHttpPort: integer(env, VARIABLE.otlpHttpPort, { fallback: 4318, min: 0, max: 65_535 }),
    otlpGrpcPort: integer(env, VARIABLE.otlpGrpcPort, { fallback: 4317, min: 0, max: 65_535 }),
    jaegerPort: integer(env, VARIABLE.jaegerPort, { fallback: 17_271, min: 0, max: 65_535 }),
    tls: readTlsIdentity(
      { variable: VARIABLE.tlsCert, file: env[VARIABLE.tlsCert] },
      { variable: VARIABLE.tlsKey, file: env[VARIABLE.tlsKey] },
    ),
    dataDir: resolve(env.CLEW_DATA_DIR || ".clew"),
    roles: roles(env),
    ...tokens(env),
    retentionDays: integer(env, VARIABLE.retentionDays, { fallback: 7, min: 1, max: 3650 }),
    diskLimitBytes: bytes(env, "CLEW_DISK_LIMIT", { fallback: 0, min: 0 }),
    maxRequestBytes: bytes(env, "CLEW_MAX_REQUEST_BYTES", { fallback: 64 * MIB, min: 1024 }),
    maxInFlightBytes: bytes(env, "CLEW_MAX_IN_FLIGHT_BYTES", { fallback: 128 * MIB, min: MIB }),
    transactionKeys: transactionKeys(env),
    scrapeNetworks: networks(env, "CLEW_SCRAPE_NETWORKS"),
    syslogPort: env[VARIABLE.syslogPort]
      ? integer(env, VARIABLE.syslogPort, { fallback: 0, min: 0, max: 65_535 })
      : undefined,
    syslogNetworks: syslogNetworks(env),
    kafka: readKafkaConfig(env),
    elasticsearch: readElasticsearchConfig(env),
  });
  refuseSplitRoles(config);
  refuseLimitOfNothing(config);
  refuseOpenDoors(env, config);
  if (config.maxInFlightBytes < config.maxRequestBytes) {
    throw invalid(
      "CLEW_MAX_IN_FLIGHT_BYTES",
      String(config.maxInFlightBytes),
      "at least CLEW_MAX_REQUEST_BYTES",
    );
  }
  return config;
}

/**
 * Reads what `clew find`, `logs` and `ship` need: where the collector of this machine listens.
 * @throws ClewError CONFIG_INVALID as `readConfig` does.
 */
export function readClientConfig(env: Environment = process.env): ClientConfig {
  const port = integer(env, VARIABLE.port, { fallback: 4320, min: 0, max: 65_535 });
  const otlpHttpPort = integer(env, VARIABLE.otlpHttpPort, { fallback: 4318, min: 0, max: 65_535 });
  const listens = host(env);
  const reachable = EVERY_ADDRESS.has(listens) ? "127.0.0.1" : listens;
  const address = isIP(reachable) === 6 ? `[${reachable}]` : reachable;
  const scheme = env[VARIABLE.tlsCert] ? "https" : "http";
  const { ingestTokens, queryTokens, adminTokens } = tokens(env);
  // On this machine the collector's own certificate is as good as one that vouches for it.
  const trusting = env[VARIABLE.tlsCa] ? VARIABLE.tlsCa : VARIABLE.tlsCert;
  return Object.freeze({
    queryUrl: `${scheme}://${address}:${port}`,
    otlpUrl: `${scheme}://${address}:${otlpHttpPort}`,
    queryToken: queryTokens[0]?.token,
    ingestToken: ingestTokens[0]?.token,
    adminToken: adminTokens[0]?.token,
    transactionKeys: transactionKeys(env),
    dataDir: resolve(env.CLEW_DATA_DIR || ".clew"),
    trusted: { variable: trusting, file: env[trusting] },
    mayColour: !env.NO_COLOR,
  });
}

/**
 * Lets worker threads load their code from the compile cache of this process, where there is one.
 * Each thread that strips types itself takes 30 MB more: 127 MB against 95 MB of an idle collector.
 */
export function shareCompileCache(): void {
  const dir = getCompileCacheDir();
  if (dir !== undefined) process.env[compileCacheVariable] ??= dirname(dir);
}

/** Any of the three, each once; all of them where nothing is said. */
function roles(env: Environment): readonly Role[] {
  const named = list(env.CLEW_ROLES || ROLES.join());
  const wrong = named.find((name) => !ROLES.some((role) => role === name));
  if (wrong !== undefined || named.length === 0) {
    throw invalid(VARIABLE.roles, wrong ?? "", `${ROLES.join(", ")}, separated by commas`);
  }
  return ROLES.filter((role) => named.includes(role));
}

/** What is embedded belongs to one process, which then has to do everything. */
function refuseSplitRoles({ roles, kafka, elasticsearch }: Config): void {
  if (roles.length === ROLES.length) return;
  const embedded = [
    ...(kafka === undefined ? [`the bus is embedded (${KAFKA_VARIABLE.brokers} is not set)`] : []),
    ...(elasticsearch === undefined
      ? [`the store is embedded (${ELASTICSEARCH_VARIABLE.url} is not set)`]
      : []),
  ];
  if (embedded.length === 0) return;
  const allowed = `${ROLES.join()} together, for ${embedded.join(" and ")}`;
  throw invalid(VARIABLE.roles, roles.join(), allowed);
}

/** Who sets a limit must not believe that it holds where nothing lies in the data directory. */
function refuseLimitOfNothing({ diskLimitBytes, kafka, elasticsearch }: Config): void {
  if (diskLimitBytes === 0 || kafka === undefined || elasticsearch === undefined) return;
  const allowed = "nothing, for bus and store are on other machines";
  throw invalid(VARIABLE.diskLimit, String(diskLimitBytes), allowed);
}

/** Our own name comes first whatever the list says: by it all that knows Clew names its IDs. */
function transactionKeys(env: Environment): readonly string[] {
  const names = list(env.CLEW_TRANSACTION_KEYS || DEFAULT_TRANSACTION_KEYS);
  return [...new Set([ATTRIBUTE.transactionId, ...names])];
}

/** Whether only this machine can connect. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_HOSTS.has(host);
}

/** Promise 7: no door beyond loopback without tokens. */
function refuseOpenDoors(env: Environment, config: Config): void {
  if (isLoopback(config.host) || env.CLEW_INSECURE === "1") return;
  for (const [name, values] of [
    ["CLEW_INGEST_TOKENS", config.ingestTokens],
    ["CLEW_QUERY_TOKENS", config.queryTokens],
  ] as const) {
    if (values.length > 0) continue;
    throw invalid(
      "CLEW_HOST",
      config.host,
      `loopback, or set ${name} (or CLEW_INSECURE=1 to do without)`,
    );
  }
  if (config.syslogPort === undefined || env[VARIABLE.syslogNetworks]) return;
  const instead = `set ${VARIABLE.syslogNetworks} to those that may send, for syslog has no tokens`;
  throw invalid(VARIABLE.syslogPort, String(config.syslogPort), `loopback only, or ${instead}`);
}

/** Who may send syslog; everybody only where the door was opened on purpose. */
function syslogNetworks(env: Environment): readonly string[] {
  const isOpen = env.CLEW_INSECURE === "1" && !env[VARIABLE.syslogNetworks];
  return isOpen ? EVERY_NETWORK : networks(env, VARIABLE.syslogNetworks);
}

function host(env: Environment): string {
  const value = env.CLEW_HOST || "127.0.0.1";
  if (isIP(value) === 0 && value !== "localhost") {
    throw invalid("CLEW_HOST", value, "an IP address of this machine, or localhost");
  }
  return value;
}

function tokens(env: Environment): Pick<Config, "ingestTokens" | "queryTokens" | "adminTokens"> {
  return {
    ingestTokens: parseTokens(env, { variable: VARIABLE.ingestTokens, role: "ingest" }),
    queryTokens: parseTokens(env, { variable: VARIABLE.queryTokens, role: "query" }),
    adminTokens: parseTokens(env, { variable: VARIABLE.adminTokens, role: "admin" }),
  };
}

function networks(env: Environment, name: string): readonly string[] {
  const values = list(env[name] || "loopback");
  const wrong = values.find((value) => !isNetwork(value));
  if (wrong === undefined) return values;
  throw invalid(name, wrong, "networks as in 10.0.0.0/8, addresses, loopback and private");
}
