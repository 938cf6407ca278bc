import type { BackendsConfig } from "../config.ts";
import { freePorts } from "./free-ports.ts";
import { jaegerProgram } from "./jaeger-program.ts";
import { YamlServer } from "./yaml-server.ts";

/** The real Jaeger 2, which reads its traces from elsewhere. */
export class Jaeger {
  readonly #server: YamlServer;
  /** Of its query API. */
  url = "";

  constructor(config?: BackendsConfig) {
    this.#server = new YamlServer(
      {
        name: "Jaeger",
        program: jaegerProgram,
        ownConfig,
        // It would trace itself, and end slowly.
        env: { OTEL_TRACES_SAMPLER: "always_off" },
      },
      config,
    );
  }

  /**
   * Resolves once it answers.
   * @param storage `grpc` of one of its storage backends: endpoint, tls, headers.
   * @throws StackError BACKEND_UNAVAILABLE with the end of what it said.
   */
  async start(storage: object): Promise<void> {
    const [httpPort, grpcPort] = (await freePorts(2)) as readonly [number, number];
    const backends = { clew: { grpc: storage } };
    await this.#server.start(`extensions:
  jaeger_storage: { backends: ${JSON.stringify(backends)} }
  jaeger_query:
    storage: { traces: clew }
    http: { endpoint: "127.0.0.1:${httpPort}" }
    grpc: { endpoint: "127.0.0.1:${grpcPort}" }
`);
    this.url = `http://127.0.0.1:${httpPort}`;
  }

  output(): Promise<string> {
    return this.#server.output();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

function ownConfig(healthPort: number): string {
  return `receivers: { nop: {} }
exporters: { nop: {} }
extensions:
  healthcheckv2:
    use_v2: true
    http: { endpoint: "127.0.0.1:${healthPort}", status: { path: "/" } }
service:
  extensions: [jaeger_storage, jaeger_query, healthcheckv2]
  pipelines: { traces: { receivers: [nop], exporters: [nop] } }
  telemetry: { metrics: { level: none }, logs: { level: warn } }
`;
}
