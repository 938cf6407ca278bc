import { KAFKA_VARIABLE, type KafkaConfig } from "../bus/kafka/config.ts";
import type { KafkaSetup, TopicSetup } from "../bus/kafka/kafka-setup.ts";
import { type Config, readConfig } from "../config.ts";
import { ELASTICSEARCH_VARIABLE } from "../store/elasticsearch/config.ts";
import { elasticsearchConnection } from "../store/elasticsearch/elasticsearch-config.ts";
import type { ElasticsearchSetup } from "../store/elasticsearch/set-up-elasticsearch.ts";
import { formatDuration } from "./format-duration.ts";
import type { Terminal } from "./terminal.ts";
import { parseCommandLine } from "./usage-error.ts";

/**
 * `clew setup`: makes what servers beside the collector need to have, and says what was there and
 * what could be lost. Exit code 1, with one line, where a server is away or refuses.
 */
export async function setup(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = parseCommandLine({
    command: "setup",
    args,
    positionalsMax: 0,
    options: { json: { type: "boolean" } },
  });
  const config = readConfig();
  const kafka = config.kafka && (await setUpTopics(config.kafka));
  // What was done is said also where the next server is away.
  if (kafka && !values.json) showTopics(kafka, terminal);
  const elasticsearch = config.elasticsearch && (await setUpStore(config));
  if (values.json) {
    const found = { kafka: kafka ?? null, elasticsearch: elasticsearch ?? null };
    terminal.print(JSON.stringify(found));
    return 0;
  }
  if (elasticsearch) showObjects(elasticsearch, terminal);
  if (kafka ?? elasticsearch) return 0;
  const unset = `neither ${KAFKA_VARIABLE.brokers} nor ${ELASTICSEARCH_VARIABLE.url} is set`;
  terminal.print(`nothing to set up: bus and store are embedded (${unset})`);
  return 0;
}

interface TopicsFound extends KafkaSetup {
  readonly warnings: readonly string[];
}

async function setUpTopics(kafka: KafkaConfig): Promise<TopicsFound> {
  const { setUpKafka } = await import("../bus/kafka/kafka-setup.ts");
  const { setupWarnings } = await import("../bus/kafka/kafka-setup-warnings.ts");
  const done = await setUpKafka(kafka);
  return { ...done, warnings: setupWarnings(done, kafka) };
}

async function setUpStore({
  elasticsearch,
  retentionDays,
}: Config): Promise<ElasticsearchSetup | undefined> {
  if (elasticsearch === undefined) return undefined;
  const { createElasticsearchClient } = await import("../store/elasticsearch/client.ts");
  const { setUpElasticsearch } = await import("../store/elasticsearch/set-up-elasticsearch.ts");
  const client = createElasticsearchClient(elasticsearchConnection(elasticsearch));
  try {
    return await setUpElasticsearch({ client, retentionDays });
  } finally {
    await client.close();
  }
}

function showObjects({ version, objects }: ElasticsearchSetup, { print, colour }: Terminal): void {
  const width = Math.max(...objects.map(({ kind }) => kind.length));
  print(colour("bold", `Elasticsearch ${version}`));
  for (const { kind, name, outcome } of objects) {
    const style = outcome === "present" || outcome === "newer" ? "dim" : "green";
    print(`  ${colour(style, outcome.padEnd(7))}  ${kind.padEnd(width)}  ${name}`);
  }
}

function showTopics({ topics, brokers, warnings }: TopicsFound, terminal: Terminal): void {
  const { print, colour } = terminal;
  const width = Math.max(...topics.map(({ name }) => name.length));
  print(colour("bold", `Kafka, ${brokers} ${brokers === 1 ? "broker" : "brokers"}`));
  for (const topic of topics) {
    const outcome = topic.isNew ? colour("green", "created") : colour("dim", "present");
    print(`  ${outcome}  ${topic.name.padEnd(width)}  ${describeTopic(topic)}`);
  }
  for (const warning of warnings) terminal.note(`${colour("yellow", "warning")} ${warning}`);
}

function describeTopic({ partitions, replicas, settings }: TopicSetup): string {
  const shape = `partitions ${partitions}, replicas ${replicas}`;
  if (settings === undefined) return shape;
  const { minInSyncReplicas, retentionMs, maxMessageBytes } = settings;
  const kept = retentionMs < 0 ? "for ever" : formatDuration(retentionMs);
  const limits = `kept ${kept}, messages to ${maxMessageBytes} bytes`;
  return `${shape}, in sync at least ${minInSyncReplicas}, ${limits}`;
}
