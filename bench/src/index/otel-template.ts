/**
 * What a full Elasticsearch has built in for the OpenTelemetry Collector's documents (its
 * `logs-otel@template`), as far as it matters here: without it every text would be analysed and
 * kept as a keyword as well, which no installation does.
 */
const PASSTHROUGH = { type: "passthrough", dynamic: true } as const;

export const OTEL_TEMPLATE = {
  index_patterns: ["logs-*.otel-*"],
  priority: 150,
  data_stream: {},
  template: {
    mappings: {
      dynamic: false,
      dynamic_templates: [
        { strings: { match_mapping_type: "string", mapping: { type: "keyword" } } },
        { numbers: { match_mapping_type: "long", mapping: { type: "long" } } },
      ],
      properties: {
        "@timestamp": { type: "date_nanos" },
        observed_timestamp: { type: "date_nanos" },
        severity_number: { type: "byte" },
        severity_text: { type: "keyword" },
        body: { properties: { text: { type: "text" } } },
        trace_id: { type: "keyword" },
        span_id: { type: "keyword" },
        attributes: { ...PASSTHROUGH, priority: 20 },
        resource: {
          properties: { attributes: { ...PASSTHROUGH, priority: 10 } },
        },
        scope: {
          properties: {
            name: { type: "keyword" },
            version: { type: "keyword" },
            attributes: { ...PASSTHROUGH, priority: 5 },
          },
        },
      },
    },
  },
} as const;
