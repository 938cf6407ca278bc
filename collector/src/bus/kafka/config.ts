/** What the environment says of Kafka. */
import { createSecureContext } from "node:tls";
import {
  type Environment,
  findSecret,
  integer,
  invalid,
  list,
  readTextFile,
} from "../../environment.ts";

export interface KafkaConfig {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  /** `clew` of `clew.logs`; with a dot and the rest it names each topic. */
  readonly topicPrefix: string;
  /** Absent: without TLS. */
  readonly tls: KafkaTls | undefined;
  /** Absent: without authentication. */
  readonly sasl: KafkaSasl | undefined;
  /** Where this process is, so that it reads from a replica nearby. */
  readonly clientRack: string | undefined;
  readonly setup: KafkaSetupConfig;
}

/** Texts in PEM; absent: what Node.js trusts, and no certificate of our own. */
export interface KafkaTls {
  readonly ca: PemFile | undefined;
  readonly cert: PemFile | undefined;
  readonly key: PemFile | undefined;
}

export interface PemFile {
  readonly path: string;
  readonly text: string;
}

export interface KafkaSasl {
  readonly mechanism: SaslMechanism;
  readonly username: string;
  readonly password: string;
}

/** What `clew setup` makes of topics that are not there. */
export interface KafkaSetupConfig {
  /** Of `logs`, `traces` and `metrics` each. */
  readonly partitions: number;
  /** Absent: 3, or as many as there are brokers. */
  readonly replicationFactor: number | undefined;
  readonly retentionHours: number;
}

const SASL_MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** Names of variables that messages speak of. */
export const KAFKA_VARIABLE = {
  brokers: "CLEW_KAFKA_BROKERS",
  topicPrefix: "CLEW_KAFKA_TOPIC_PREFIX",
  tls: "CLEW_KAFKA_TLS",
  tlsCa: "CLEW_KAFKA_TLS_CA",
  tlsCert: "CLEW_KAFKA_TLS_CERT",
  tlsKey: "CLEW_KAFKA_TLS_KEY",
  saslMechanism: "CLEW_KAFKA_SASL_MECHANISM",
  saslUsername: "CLEW_KAFKA_SASL_USERNAME",
  saslPassword: "CLEW_KAFKA_SASL_PASSWORD",
  clientRack: "CLEW_KAFKA_CLIENT_RACK",
  partitions: "CLEW_KAFKA_PARTITIONS",
  replicationFactor: "CLEW_KAFKA_REPLICATION_FACTOR",
  retentionHours: "CLEW_KAFKA_RETENTION_HOURS",
} as const;

/** Room for the longest suffix within Kafka's 249 characters. */
const PREFIX_CHARACTERS_MAX = 200;
const PARTITIONS_DEFAULT = 6;
const PARTITIONS_MAX = 1000;
const REPLICATION_MAX = 15;
const RETENTION_HOURS_DEFAULT = 168;
const RETENTION_HOURS_MAX = 87_600;

/**
 * Reads what the collector needs to use Kafka as its bus.
 * @returns undefined where no broker is named: the bus is embedded then.
 * @throws ClewError CONFIG_INVALID: one line with the variable, its value (never a secret) and
 * what is allowed.
 */
export function readKafkaConfig(env: Environment): KafkaConfig | undefined {
  const named = env.CLEW_KAFKA_BROKERS ?? "";
  if (named.trim() === "") {
    refuseWithoutBrokers(env);
    return undefined;
  }
  const brokers = list(named);
  const wrong = brokers.length === 0 ? named : brokers.find((broker) => !isBroker(broker));
  if (wrong !== undefined) {
    throw invalid(KAFKA_VARIABLE.brokers, wrong, "host:port, several separated by commas");
  }
  return Object.freeze({
    brokers,
    topicPrefix: topicPrefix(env),
    tls: tls(env),
    sasl: sasl(env),
    clientRack: env.CLEW_KAFKA_CLIENT_RACK || undefined,
    setup: Object.freeze({
      partitions: integer(env, KAFKA_VARIABLE.partitions, {
        fallback: PARTITIONS_DEFAULT,
        min: 1,
        max: PARTITIONS_MAX,
      }),
      replicationFactor: env.CLEW_KAFKA_REPLICATION_FACTOR
        ? integer(env, KAFKA_VARIABLE.replicationFactor, {
            fallback: 1,
            min: 1,
            max: REPLICATION_MAX,
          })
        : undefined,
      retentionHours: integer(env, KAFKA_VARIABLE.retentionHours, {
        fallback: RETENTION_HOURS_DEFAULT,
        min: 1,
        max: RETENTION_HOURS_MAX,
      }),
    }),
  });
}

/** Who sets any of these believes that Kafka is used. */
function refuseWithoutBrokers(env: Environment): void {
  const { brokers, ...others } = KAFKA_VARIABLE;
  for (const name of Object.values(others)) {
    if (!env[name] && !env[`${name}_FILE`]) continue;
    throw invalid(name, "(set)", `nothing while ${brokers} names no broker`);
  }
}

/** kafkajs takes names and IPv4 addresses: a second colon would cut an IPv6 address short. */
function isBroker(text: string): boolean {
  const [, port] = /^[A-Za-z0-9._-]+:(\d{1,5})$/.exec(text) ?? [];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

function topicPrefix(env: Environment): string {
  const value = env.CLEW_KAFKA_TOPIC_PREFIX || "clew";
  if (/^[A-Za-z0-9._-]+$/.test(value) && value.length <= PREFIX_CHARACTERS_MAX) return value;
  const allowed = `up to ${PREFIX_CHARACTERS_MAX} letters, digits, dots, dashes and underscores`;
  throw invalid(KAFKA_VARIABLE.topicPrefix, value, allowed);
}

function tls(env: Environment): KafkaTls | undefined {
  const { tls: name, tlsCa, tlsCert, tlsKey } = KAFKA_VARIABLE;
  const value = env.CLEW_KAFKA_TLS || "0";
  if (value !== "0" && value !== "1") throw invalid(name, value, "0 or 1");
  const files = [tlsCa, tlsCert, tlsKey].filter((file) => env[file]);
  if (value === "0") {
    const [first] = files;
    if (first) throw invalid(first, String(env[first]), `nothing without ${name}=1`);
    return undefined;
  }
  if (Boolean(env[tlsCert]) !== Boolean(env[tlsKey])) {
    throw invalid(tlsCert, String(env[tlsCert] ?? ""), `a file, together with ${tlsKey}`);
  }
  const ca = pemFile(env, tlsCa);
  const cert = pemFile(env, tlsCert);
  const key = pemFile(env, tlsKey);
  if (ca && !isContext({ ca: ca.text })) throw invalid(tlsCa, ca.path, "certificates in PEM");
  if (cert && key && !isContext({ cert: cert.text, key: key.text })) {
    throw invalid(tlsCert, cert.path, `a certificate in PEM that belongs to the key in ${tlsKey}`);
  }
  return Object.freeze({ ca, cert, key });
}

function pemFile(env: Environment, name: string): PemFile | undefined {
  const path = env[name];
  return path ? { path, text: readTextFile(name, path) } : undefined;
}

/** OpenSSL takes an empty list of authorities for granted, so the form is looked at too. */
function isContext(parts: { ca?: string; cert?: string; key?: string }): boolean {
  if (Object.values(parts).some((text) => !text.includes("-----BEGIN "))) return false;
  try {
    createSecureContext(parts);
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

function sasl(env: Environment): KafkaSasl | undefined {
  const { saslMechanism, saslUsername, saslPassword } = KAFKA_VARIABLE;
  const text = env.CLEW_KAFKA_SASL_MECHANISM;
  const username = env.CLEW_KAFKA_SASL_USERNAME;
  const password = findSecret(env, saslPassword);
  if (!text) {
    const wanted = SASL_MECHANISMS.join(", ");
    if (!username && password === undefined) return undefined;
    throw invalid(saslMechanism, "", `${wanted}: a user name or password is given`);
  }
  const mechanism = SASL_MECHANISMS.find((known) => known === text.toLowerCase());
  if (!mechanism) throw invalid(saslMechanism, text, SASL_MECHANISMS.join(", "));
  if (!username) throw invalid(saslUsername, "", `the user's name for ${saslMechanism}`);
  if (password === undefined) {
    throw invalid(saslPassword, "", `the password, or its file in ${saslPassword}_FILE`);
  }
  return Object.freeze({ mechanism, username, password });
}
