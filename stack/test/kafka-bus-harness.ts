import { randomUUID } from "node:crypto";
import type { OutgoingMessage } from "../../collector/src/bus/bus.ts";
import {
  KAFKA_VARIABLE,
  type KafkaConfig,
  readKafkaConfig,
} from "../../collector/src/bus/kafka/config.ts";
import { KafkaBus, type KafkaBusOptions } from "../../collector/src/bus/kafka/kafka-bus.ts";

export const MIB = 1024 * 1024;

/** The configuration of topics that nobody else has. */
export function kafkaConfig(
  brokers: readonly string[],
  env: Readonly<Record<string, string>> = {},
): KafkaConfig {
  const config = readKafkaConfig({
    [KAFKA_VARIABLE.brokers]: brokers.join(),
    [KAFKA_VARIABLE.topicPrefix]: `t${randomUUID().slice(0, 8)}`,
    [KAFKA_VARIABLE.partitions]: "3",
    ...env,
  });
  if (config === undefined) throw new Error("no broker was named");
  return config;
}

/** Opens buses, hears what they report, and stops them all. */
export class BusHarness {
  readonly reports: string[] = [];
  readonly #open: KafkaBus[] = [];

  async open(config: KafkaConfig, options: Partial<KafkaBusOptions> = {}): Promise<KafkaBus> {
    const bus = await KafkaBus.open({
      config,
      maxInFlightBytes: 64 * MIB,
      report: (line) => this.reports.push(line),
      ...options,
    });
    this.#open.push(bus);
    return bus;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((bus) => bus.stop()));
    this.reports.length = 0;
  }
}

export function logsMessage(requestId: string, value: Uint8Array = Buffer.from(requestId)) {
  const headers = { requestId, part: 0, records: 1, receivedNs: 1n, repeat: false };
  return { topic: "logs", headers, value } satisfies OutgoingMessage;
}
