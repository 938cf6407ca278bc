import { type ConfigSource, text } from "../config-values.ts";

export interface MetricsSettings {
  /** Port of `/metrics` and health; 0 takes any free one; undefined: nothing listens. */
  readonly port: number | undefined;
  readonly host: string;
}

const DEFAULT_PORT = 9464;
const DEFAULT_HOST = "127.0.0.1";
const PORT_MAX = 65_535;

/** Where this service's own `/metrics`, `/healthz` and `/readyz` listen. */
export function readMetricsConfig({ env, warnings }: ConfigSource): MetricsSettings {
  const host = text(env.CLEW_METRICS_HOST) ?? DEFAULT_HOST;
  const value = text(env.CLEW_METRICS_PORT) ?? String(DEFAULT_PORT);
  if (value === "off") return { port: undefined, host };
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= PORT_MAX) return { port, host };
  warnings.push(`CLEW_METRICS_PORT is "${value}", allowed are 0 to ${PORT_MAX} and off`);
  return { port: DEFAULT_PORT, host };
}
