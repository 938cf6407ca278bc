/** The bench's configuration: the only place here that reads the environment. */
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a collector under measurement is told. Port 0: any free one. */
const VARIABLE = {
  host: "CLEW_HOST",
  port: "CLEW_PORT",
  otlpHttpPort: "CLEW_OTLP_HTTP_PORT",
  otlpGrpcPort: "CLEW_OTLP_GRPC_PORT",
  jaegerPort: "CLEW_JAEGER_PORT",
  dataDir: "CLEW_DATA_DIR",
  kafkaBrokers: "CLEW_KAFKA_BROKERS",
  roles: "CLEW_ROLES",
  elasticsearchUrl: "CLEW_ELASTICSEARCH_URL",
} as const;

export interface BenchConfig {
  /** Fresh data directories are made below this, on the disk that is to be measured. */
  readonly workDir: string;
  /** Outside the checkout: peers that were installed before are found again. */
  readonly cacheDir: string;
}

export function readBenchConfig(env: Environment = process.env): BenchConfig {
  return Object.freeze({
    workDir: join(env.TMPDIR || tmpdir(), "clew-bench"),
    cacheDir: join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "clew"),
  });
}

/** The environment of a collector with fresh data, without settings of the person who measures. */
export function collectorEnvironment(
  dataDir: string,
  env: Environment = process.env,
): Record<string, string | undefined> {
  const inherited = Object.entries(env).filter(([name]) => !name.startsWith("CLEW_"));
  return {
    ...Object.fromEntries(inherited),
    [VARIABLE.host]: "127.0.0.1",
    [VARIABLE.port]: "0",
    [VARIABLE.otlpHttpPort]: "0",
    [VARIABLE.otlpGrpcPort]: "0",
    [VARIABLE.jaegerPort]: "0",
    [VARIABLE.dataDir]: dataDir,
  };
}

/** Whoever has Kafka as its bus. */
export function kafkaSettings(brokers: readonly string[]): Readonly<Record<string, string>> {
  return { [VARIABLE.kafkaBrokers]: brokers.join(",") };
}

/** A collector with Kafka as its bus and Elasticsearch as its store. */
export function distributedSettings(parts: {
  readonly brokers: readonly string[];
  readonly elasticsearchUrl: string;
  /** As `index`, or several separated by commas. */
  readonly roles: string;
}): Readonly<Record<string, string>> {
  return {
    ...kafkaSettings(parts.brokers),
    [VARIABLE.elasticsearchUrl]: parts.elasticsearchUrl,
    [VARIABLE.roles]: parts.roles,
  };
}

/** Variables that would instrument a service, or change how Node runs it. */
const INSTRUMENTING = /^(?:CLEW|OTEL|ELASTIC|NODE)_/;

/** What every measured service is told, whoever instruments it: nothing of the person's own. */
export function subjectEnvironment(
  told: { readonly collectorUrl: string; readonly spoolDir: string },
  env: Environment = process.env,
): Record<string, string | undefined> {
  const inherited = Object.entries(env).filter(([name]) => !INSTRUMENTING.test(name));
  return {
    ...Object.fromEntries(inherited),
    OTEL_SERVICE_NAME: "bench-service",
    OTEL_EXPORTER_OTLP_ENDPOINT: told.collectorUrl,
    CLEW_SPOOL_DIR: told.spoolDir,
    CLEW_METRICS_PORT: "0",
  };
}
