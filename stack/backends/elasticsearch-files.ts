import { pbkdf2Sync, randomBytes } from "node:crypto";
import { chown, copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UNPRIVILEGED_ID } from "./elasticsearch-home.ts";
import { makeTestCertificates } from "./test-certificates.ts";

/** A user of the file realm, with a role of its own beside those that are named. */
export interface ElasticsearchAccount {
  readonly name: string;
  readonly password: string;
  /** Roles that the server has, as `superuser`. */
  readonly roles?: readonly string[];
  /** The privileges of a role of the account's name, as in the file roles.yml. */
  readonly privileges?: {
    readonly cluster?: readonly string[];
    readonly indices?: readonly {
      readonly names: readonly string[];
      readonly privileges: readonly string[];
    }[];
  };
}

export interface ElasticsearchFiles {
  readonly home: string;
  /** Empty, and ours. */
  readonly folder: string;
  readonly heapMiB: number;
  /** "quick" starts sooner; "full" is as the server runs in production. */
  readonly compiler: "quick" | "full";
  readonly accounts: readonly ElasticsearchAccount[];
}

const HEAP_START_MIB = 128;
/** As Elasticsearch hashes by default where it is told to use PBKDF2. */
const HASH_ROUNDS = 10_000;
const HASH_BYTES = 32;
const DENIED_JVM_OPTIONS = /^-Xlog:gc|HeapDump/;
const LOG4J = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`;

/** Writes all that does not change between two starts, certificates and users included. */
export async function writeElasticsearchFiles(files: ElasticsearchFiles): Promise<void> {
  const config = join(files.folder, "config");
  for (const name of ["config/jvm.options.d", "data", "logs", "tmp"]) {
    await mkdir(join(files.folder, name), { recursive: true });
  }
  const jvm = await readFile(join(files.home, "config", "jvm.options"), "utf8");
  const kept = jvm.split("\n").filter((line) => !DENIED_JVM_OPTIONS.test(line));
  await writeFile(join(config, "jvm.options"), kept.join("\n"));
  await writeFile(join(config, "jvm.options.d", "ours.options"), jvmOptions(files));
  await writeFile(join(config, "log4j2.properties"), LOG4J);
  if (files.accounts.length > 0) await writeSecurity(config, files.accounts);
}

/** The file elasticsearch.yml: JSON is YAML, and the server reads every setting as a string. */
export function settingsFile(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
    .join("");
}

export function basicSettings(folder: string, httpPort: number): Record<string, string> {
  return {
    "cluster.name": "clew-test",
    "node.name": "clew-1",
    "network.host": "127.0.0.1",
    "http.port": String(httpPort),
    "transport.port": "0",
    "discovery.type": "single-node",
    "path.data": join(folder, "data"),
    "path.logs": join(folder, "logs"),
    "cluster.routing.allocation.disk.threshold_enabled": "false",
    "xpack.security.enabled": "false",
  };
}

/** Over HTTP; nobody but the node itself uses the other transport. */
export const TLS_SETTINGS: Readonly<Record<string, string>> = {
  "xpack.security.enabled": "true",
  "xpack.security.http.ssl.enabled": "true",
  "xpack.security.http.ssl.certificate": "cert.pem",
  "xpack.security.http.ssl.key": "key.pem",
  "xpack.security.http.ssl.certificate_authorities": "ca.pem",
};

/** All files of the folder to the user whom the server runs as, where we are root. */
export async function giveAway(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await chown(folder, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveAway(path);
    else await chown(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
  }
}

function jvmOptions({ heapMiB, compiler }: ElasticsearchFiles): string {
  const heap = [`-Xms${Math.min(HEAP_START_MIB, heapMiB)}m`, `-Xmx${heapMiB}m`];
  const quick = compiler === "quick" ? ["-XX:TieredStopAtLevel=1"] : [];
  return `${[...heap, "-XX:-AlwaysPreTouch", ...quick].join("\n")}\n`;
}

async function writeSecurity(
  config: string,
  accounts: readonly ElasticsearchAccount[],
): Promise<void> {
  const made = join(config, "certificates");
  await mkdir(made);
  const { ca, cert, key } = await makeTestCertificates(made);
  await copyFile(ca, join(config, "ca.pem"));
  await copyFile(cert, join(config, "cert.pem"));
  await copyFile(key, join(config, "key.pem"));
  const users = accounts.map(({ name, password }) => `${name}:${passwordHash(password)}\n`);
  await writeFile(join(config, "users"), users.join(""));
  await writeFile(join(config, "users_roles"), usersRoles(accounts));
  const roles = accounts.flatMap(({ name, privileges }) =>
    privileges === undefined ? [] : [`${name}: ${JSON.stringify(privileges)}\n`],
  );
  await writeFile(join(config, "roles.yml"), roles.join(""));
}

/** Lines of `role:user,user`. */
function usersRoles(accounts: readonly ElasticsearchAccount[]): string {
  const users = new Map<string, string[]>();
  for (const { name, roles = [], privileges } of accounts) {
    for (const role of privileges === undefined ? roles : [...roles, name]) {
      users.set(role, [...(users.get(role) ?? []), name]);
    }
  }
  return [...users].map(([role, names]) => `${role}:${names.join(",")}\n`).join("");
}

/** `{PBKDF2}rounds$salt$hash`, base64, which the file realm reads beside bcrypt. */
function passwordHash(password: string): string {
  const salt = randomBytes(HASH_BYTES);
  const hash = pbkdf2Sync(password, salt, HASH_ROUNDS, HASH_BYTES, "sha512");
  return `{PBKDF2}${HASH_ROUNDS}$${salt.toString("base64")}$${hash.toString("base64")}`;
}
