/** The collector's configuration: the only place that reads the environment. */
import { getCompileCacheDir } from "node:module";
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import { ATTRIBUTE } from "@clew/instrumentation/names";
import { type KafkaConfig, readKafkaConfig } from "./bus/kafka/config.ts";
import { bytes, type Environment, integer, invalid, list, readTextFile } from "./environment.ts";
import { isNetwork } from "./network-list.ts";
import { type NamedFile, readTlsIdentity, type TlsIdentity } from "./tls-files.ts";

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly otlpHttpPort: number;
  readonly otlpGrpcPort: number;
  /** Of every port; absent: none encrypts. */
  readonly tls: TlsIdentity | undefined;
  readonly dataDir: string;
  readonly ingestTokens: readonly string[];
  readonly queryTokens: readonly string[];
  readonly adminTokens: readonly string[];
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
}

/** What a command needs that only talks to a collector: no server setting can make it fail. */
export interface ClientConfig {
  readonly queryUrl: string;
  readonly otlpUrl: string;
  /** The first token of each list, which a client presents. */
  readonly queryToken: string | undefined;
  readonly ingestToken: string | undefined;
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
  syslogPort: "CLEW_SYSLOG_PORT",
  syslogNetworks: "CLEW_SYSLOG_NETWORKS",
  tlsCert: "CLEW_TLS_CERT",
  tlsKey: "CLEW_TLS_KEY",
  tlsCa: "CLEW_TLS_CA",
  dataDir: "CLEW_DATA_DIR",
  host: "CLEW_HOST",
  queryTokens: "CLEW_QUERY_TOKENS",
  ingestTokens: "CLEW_INGEST_TOKENS",
  diskLimit: "CLEW_DISK_LIMIT",
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
    tls: readTlsIdentity(
      { variable: VARIABLE.tlsCert, file: env[VARIABLE.tlsCert] },
      { variable: VARIABLE.tlsKey, file: env[VARIABLE.tlsKey] },
    ),
    dataDir: resolve(env.CLEW_DATA_DIR || ".clew"),
    ingestTokens: tokens(env, VARIABLE.ingestTokens),
    queryTokens: tokens(env, VARIABLE.queryTokens),
    adminTokens: tokens(env, "CLEW_ADMIN_TOKENS"),
    retentionDays: integer(env, "CLEW_RETENTION_DAYS", { fallback: 7, min: 1, max: 3650 }),
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
  });
  refuseWhatIsNotThere(env);
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
  // On this machine the collector's own certificate is as good as one that vouches for it.
  const trusting = env[VARIABLE.tlsCa] ? VARIABLE.tlsCa : VARIABLE.tlsCert;
  return Object.freeze({
    queryUrl: `${scheme}://${address}:${port}`,
    otlpUrl: `${scheme}://${address}:${otlpHttpPort}`,
    queryToken: tokens(env, VARIABLE.queryTokens)[0],
    ingestToken: tokens(env, VARIABLE.ingestTokens)[0],
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

/** Roles and servers that this version does not know must not be ignored silently. */
function refuseWhatIsNotThere(env: Environment): void {
  const roles = list(env.CLEW_ROLES || "ingest,index,query").toSorted();
  if (roles.join() !== "index,ingest,query") {
    throw invalid(
      "CLEW_ROLES",
      roles.join(),
      "ingest,index,query together: with an embedded bus or store one process has all roles",
    );
  }
  if (env.CLEW_ELASTICSEARCH_URL) {
    const allowed = "nothing: this version has the embedded store only";
    throw invalid("CLEW_ELASTICSEARCH_URL", "(set)", allowed);
  }
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

/** A secret is in the variable itself or in the file that `<NAME>_FILE` names. */
function tokens(env: Environment, name: string): readonly string[] {
  const file = env[`${name}_FILE`];
  if (file && env[name])
    throw invalid(name, "(secret)", `either ${name} or ${name}_FILE, not both`);
  const values = list(file ? readTextFile(`${name}_FILE`, file) : (env[name] ?? ""));
  for (const value of values) {
    if (value.length < 8 || !/^[\x21-\x7e]+$/.test(value)) {
      throw invalid(
        name,
        "(secret)",
        "tokens of 8 or more printable characters, separated by commas",
      );
    }
  }
  return values;
}

function networks(env: Environment, name: string): readonly string[] {
  const values = list(env[name] || "loopback");
  const wrong = values.find((value) => !isNetwork(value));
  if (wrong === undefined) return values;
  throw invalid(name, wrong, "networks as in 10.0.0.0/8, addresses, loopback and private");
}
