import { KAFKA_VARIABLE } from "../bus/kafka/config.ts";
import type { KafkaSetup, TopicSetup } from "../bus/kafka/kafka-setup.ts";
import { readConfig } from "../config.ts";
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
  const { kafka } = readConfig();
  if (kafka === undefined) {
    const text = `nothing to set up: the bus is embedded (${KAFKA_VARIABLE.brokers} is not set)`;
    terminal.print(values.json ? JSON.stringify({ kafka: null }) : text);
    return 0;
  }
  const { setUpKafka } = await import("../bus/kafka/kafka-setup.ts");
  const { setupWarnings } = await import("../bus/kafka/kafka-setup-warnings.ts");
  const done = await setUpKafka(kafka);
  const warnings = setupWarnings(done, kafka);
  if (values.json) {
    terminal.print(JSON.stringify({ kafka: { ...done, warnings } }));
    return 0;
  }
  showTopics(done, terminal);
  for (const warning of warnings)
    terminal.note(`${terminal.colour("yellow", "warning")} ${warning}`);
  return 0;
}

function showTopics({ topics, brokers }: KafkaSetup, { print, colour }: Terminal): void {
  const width = Math.max(...topics.map(({ name }) => name.length));
  print(colour("bold", `Kafka, ${brokers} ${brokers === 1 ? "broker" : "brokers"}`));
  for (const topic of topics) {
    const outcome = topic.isNew ? colour("green", "created") : colour("dim", "present");
    print(`  ${outcome}  ${topic.name.padEnd(width)}  ${describeTopic(topic)}`);
  }
}

function describeTopic({ partitions, replicas, settings }: TopicSetup): string {
  const shape = `partitions ${partitions}, replicas ${replicas}`;
  if (settings === undefined) return shape;
  const { minInSyncReplicas, retentionMs, maxMessageBytes } = settings;
  const kept = retentionMs < 0 ? "for ever" : formatDuration(retentionMs);
  const limits = `kept ${kept}, messages to ${maxMessageBytes} bytes`;
  return `${shape}, in sync at least ${minInSyncReplicas}, ${limits}`;
}
