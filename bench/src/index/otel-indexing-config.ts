/**
 * How the OpenTelemetry Collector is set up as an indexer: its defaults, but that it begins with
 * the first message of the topic, as ours; "latest" would be its own.
 */
export interface OtelIndexingSetting {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
  readonly elasticsearchUrl: string;
  /**
   * Its default: an offset is committed before what it stands for is stored. Without a queue, and
   * with marks set after, it promises what ours does.
   */
  readonly hasQueue: boolean;
}

export function otelIndexingConfig(setting: OtelIndexingSetting): string {
  const { brokers, topic, groupId, elasticsearchUrl, hasQueue } = setting;
  const careful = `    message_marking: {after: true}
    error_backoff: {enabled: true, initial_interval: 200ms, max_interval: 5s, max_elapsed_time: 0}
`;
  return `receivers:
  kafka:
    brokers: ${JSON.stringify(brokers)}
    group_id: "${groupId}"
    initial_offset: earliest
    logs: {topics: ["${topic}"], encoding: otlp_proto}
${hasQueue ? "" : careful}exporters:
  elasticsearch:
    endpoint: "${elasticsearchUrl}"
${hasQueue ? "" : "    sending_queue: {enabled: false}\n"}service:
  pipelines: {logs: {receivers: [kafka], exporters: [elasticsearch]}}
`;
}
