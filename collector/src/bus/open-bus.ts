import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { ClewError } from "../errors.ts";
import type { BusReaderData } from "../indexer/bus-reader.ts";
import type { Bus } from "./bus.ts";
import { lockDirectory } from "./directory-lock.ts";
import { EmbeddedBus } from "./embedded-bus.ts";
import { KAFKA_VARIABLE, type KafkaConfig } from "./kafka/config.ts";
import { RemoteBus } from "./remote-bus.ts";

export interface OpenBusOptions {
  readonly config: Config;
  /** Bytes that count under `CLEW_DISK_LIMIT` beside the embedded bus's own. */
  readonly otherBytes: () => number;
  readonly nowNs: () => bigint;
  readonly report: (line: string) => void;
}

export interface OpenedBus {
  readonly bus: Bus;
  /** What the index thread needs to read it; asked for anew at each start of that thread. */
  readonly reader: () => BusReaderData;
}

/**
 * Opens the bus that the configuration asks for: Kafka, whose client is loaded only then, or the
 * one in the data directory.
 * @throws ClewError DATA_DIR_IN_USE, BUS_REFUSED, …
 */
export async function openBus(options: OpenBusOptions): Promise<OpenedBus> {
  const { kafka } = options.config;
  if (kafka !== undefined) {
    const bus = await openKafka(kafka, options);
    return { bus, reader: () => ({ kind: "kafka", config: kafka }) };
  }
  const bus = await openEmbedded(options);
  return { bus, reader: () => ({ kind: "embedded", port: bus.consumerPort() }) };
}

async function openEmbedded(options: OpenBusOptions): Promise<EmbeddedBus> {
  const { config, otherBytes, nowNs, report } = options;
  const { diskLimitBytes, maxInFlightBytes } = config;
  const dir = busFolder(config);
  return EmbeddedBus.open({ dir, maxInFlightBytes, diskLimitBytes, otherBytes, nowNs, report });
}

async function openKafka(kafka: KafkaConfig, options: OpenBusOptions): Promise<Bus> {
  const { config, otherBytes: storeBytes, report } = options;
  const { diskLimitBytes, maxInFlightBytes } = config;
  await tellWhatIsLeft(options);
  const { KafkaBus } = await import("./kafka/kafka-bus.ts");
  const open = () => KafkaBus.open({ config: kafka, maxInFlightBytes, report });
  // With the store elsewhere too nothing of ours is in the directory: many processes may share it.
  if (config.elasticsearch !== undefined) return open();
  const lock = lockDirectory(busFolder(config));
  try {
    return new RemoteBus({ bus: await open(), lock, diskLimitBytes, storeBytes });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Messages that were acknowledged before the bus was Kafka must not be forgotten in silence. */
async function tellWhatIsLeft(options: OpenBusOptions): Promise<void> {
  const dir = busFolder(options.config);
  if (!existsSync(dir)) return;
  const embedded = await openUnlessInUse(options);
  if (embedded === undefined) return;
  const { messages, records } = await embedded.lag();
  await embedded.stop();
  if (messages === 0) return;
  const what = `${records} records in ${messages} messages`;
  const how = `start once without ${KAFKA_VARIABLE.brokers} to have them indexed`;
  options.report(`the embedded bus in ${dir} still holds ${what}; ${how}`);
}

/** Of several processes that share the directory the first one tells. */
async function openUnlessInUse(options: OpenBusOptions): Promise<EmbeddedBus | undefined> {
  try {
    return await openEmbedded(options);
  } catch (error) {
    const isShared = options.config.elasticsearch !== undefined;
    if (isShared && error instanceof ClewError && error.code === "DATA_DIR_IN_USE")
      return undefined;
    throw error;
  }
}

function busFolder({ dataDir }: Config): string {
  return join(dataDir, "bus");
}
