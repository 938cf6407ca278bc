/** The stack's configuration: the only place here that reads the environment. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { StackError } from "./errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names of the variables, as they are told to people and handed to child processes. */
export const VARIABLE = {
  ordersPort: "DEMO_ORDERS_PORT",
  paymentsPort: "DEMO_PAYMENTS_PORT",
  shippingPort: "DEMO_SHIPPING_PORT",
  paymentsUrl: "DEMO_PAYMENTS_URL",
  shippingUrl: "DEMO_SHIPPING_URL",
  kafkaBrokers: "DEMO_KAFKA_BROKERS",
  dispatchDelayMs: "DEMO_DISPATCH_DELAY_MS",
  webPort: "CLEW_PORT",
  otlpHttpPort: "CLEW_OTLP_HTTP_PORT",
  otlpGrpcPort: "CLEW_OTLP_GRPC_PORT",
  jaegerPort: "CLEW_JAEGER_PORT",
  dataDir: "CLEW_DATA_DIR",
  spoolDir: "CLEW_SPOOL_DIR",
  metricsPort: "CLEW_METRICS_PORT",
} as const;

export type PortVariable = "ordersPort" | "paymentsPort" | "shippingPort";

export interface DemoConfig {
  /** 0: any free port. */
  readonly ordersPort: number;
  readonly paymentsPort: number;
  readonly shippingPort: number;
  readonly paymentsUrl: string;
  readonly shippingUrl: string;
  /** Empty: the second job goes to `shipping` over HTTP. */
  readonly kafkaBrokers: readonly string[];
  /** How long after the order its parcel is dispatched. */
  readonly dispatchDelayMs: number;
}

export interface LaunchConfig {
  readonly dataDir: string;
  /** What child processes inherit. */
  readonly inherited: Environment;
}

export interface BackendsConfig {
  /** Outside the checkout, so that a clean checkout keeps what was fetched before. */
  readonly cacheDir: string;
  readonly javaProgram: string;
  /** Homes of Java that somebody named, the one for Elasticsearch first. */
  readonly javaHomes: readonly string[];
  readonly isContinuousIntegration: boolean;
}

/** @throws StackError CONFIG_INVALID: one line with the variable, its value and what is allowed. */
export function readDemoConfig(env: Environment = process.env): DemoConfig {
  const ports = {
    ordersPort: integer(env, VARIABLE.ordersPort, { fallback: 4341, max: 65_535 }),
    paymentsPort: integer(env, VARIABLE.paymentsPort, { fallback: 4342, max: 65_535 }),
    shippingPort: integer(env, VARIABLE.shippingPort, { fallback: 4343, max: 65_535 }),
  };
  return Object.freeze({
    ...ports,
    paymentsUrl: url(env, VARIABLE.paymentsUrl, ports.paymentsPort),
    shippingUrl: url(env, VARIABLE.shippingUrl, ports.shippingPort),
    kafkaBrokers: (env[VARIABLE.kafkaBrokers] ?? "").split(",").filter((name) => name !== ""),
    dispatchDelayMs: integer(env, VARIABLE.dispatchDelayMs, { fallback: 300, max: 60_000 }),
  });
}

export function readLaunchConfig(env: Environment = process.env): LaunchConfig {
  return Object.freeze({
    dataDir: resolve(env[VARIABLE.dataDir] || ".clew"),
    inherited: env,
  });
}

export function readBackendsConfig(env: Environment = process.env): BackendsConfig {
  return Object.freeze({
    cacheDir: join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "clew"),
    javaHomes: [env.ES_JAVA_HOME, env.JAVA_HOME].filter((home) => home !== undefined),
    javaProgram: env.JAVA_HOME ? join(env.JAVA_HOME, "bin", "java") : "java",
    isContinuousIntegration: env.CI === "true",
  });
}

function integer(
  env: Environment,
  name: string,
  { fallback, max }: { fallback: number; max: number },
): number {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  if (!/^\d+$/.test(text) || Number(text) > max) {
    throw invalid(name, text, `a whole number from 0 to ${max}`);
  }
  return Number(text);
}

function url(env: Environment, name: string, fallbackPort: number): string {
  const text = env[name] || `http://127.0.0.1:${fallbackPort}`;
  const parsed = URL.parse(text);
  if (parsed?.protocol !== "http:") throw invalid(name, text, "an http URL");
  return parsed.origin;
}

function invalid(name: string, value: string, allowed: string): StackError {
  return new StackError("CONFIG_INVALID", `${name}=${value}: allowed is ${allowed}`);
}
