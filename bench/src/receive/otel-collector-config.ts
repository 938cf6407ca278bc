/** How the OpenTelemetry Collector is set up: its defaults, but `acks=all` as ours. */
export interface OtelCollectorSetting {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Its default: 200 means in memory. Without one 200 means acknowledged by Kafka, as ours. */
  readonly hasQueue: boolean;
}

export function otelCollectorConfig(setting: OtelCollectorSetting): string {
  const { httpPort, grpcPort, brokers, topic, hasQueue } = setting;
  return `receivers:
  otlp:
    protocols:
      http: {endpoint: "127.0.0.1:${httpPort}"}
      # As large as ours takes them.
      grpc: {endpoint: "127.0.0.1:${grpcPort}", max_recv_msg_size_mib: 64}
exporters:
  kafka:
    brokers: ${JSON.stringify(brokers)}
    logs: {topic: "${topic}", encoding: otlp_proto}
    producer: {required_acks: -1}
${hasQueue ? "" : "    sending_queue: {enabled: false}\n"}service:
  pipelines: {logs: {receivers: [otlp], exporters: [kafka]}}
`;
}
