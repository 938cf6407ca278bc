import { type BackendsConfig, readBackendsConfig } from "../config.ts";
import { otelCollectorProgram } from "./otel-collector-program.ts";
import { hasPrograms } from "./required-programs.ts";
import { YamlServer } from "./yaml-server.ts";

/** Whether the real OpenTelemetry Collector can be built here; else as `hasPrograms`. */
export function requireGo(skipped: string, config: BackendsConfig = readBackendsConfig()): boolean {
  const toInstall = "Go (and util-linux, on Linux)";
  return hasPrograms(
    skipped,
    [
      { command: ["go", "version"], toInstall },
      { command: ["setpriv", "--version"], toInstall },
    ],
    config,
  );
}

/**
 * The real OpenTelemetry Collector, with the parts that bench/peers/receive/builder.yaml names:
 * receivers `otlp` and `kafka`; processor `batch`; exporters `debug`, `nop`, `otlp_grpc`,
 * `otlp_http`, `file`, `kafka` and `elasticsearch`. Its configuration is receivers, processors,
 * exporters and `service.pipelines`. Its own metrics are off and it logs warnings only, unless that
 * says otherwise; `service.extensions` is ours.
 */
export class OtelCollector extends YamlServer {
  constructor(config?: BackendsConfig) {
    const name = "the OpenTelemetry Collector";
    super({ name, program: otelCollectorProgram, ownConfig }, config);
  }
}

function ownConfig(healthPort: number): string {
  return `extensions: {health_check: {endpoint: "127.0.0.1:${healthPort}"}}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
`;
}
