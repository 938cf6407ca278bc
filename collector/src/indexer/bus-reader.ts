import { join } from "node:path";
import type { MessagePort } from "node:worker_threads";
import type { BusConsumer } from "../bus/bus.ts";
import { EmbeddedBusConsumer } from "../bus/embedded-bus-consumer.ts";
import type { KafkaConfig } from "../bus/kafka/config.ts";
import { REPEAT_BOUNDS } from "../bus/repeat-window.ts";
import { EMBEDDED_PARTITION } from "../bus/segment-format.ts";
import { describeDamage } from "../bus/segment-reader.ts";

/** Where the index thread reads, as plain data that can be sent to it. */
export type BusReaderData =
  /** Its line to the embedded bus, which is transferred. */
  | { readonly kind: "embedded"; readonly port: MessagePort }
  /** It connects to the brokers by itself. */
  | { readonly kind: "kafka"; readonly config: KafkaConfig };

export interface BusReaderOptions {
  /** The collector's data directory. */
  readonly dataDir: string;
  /** The store's positions. */
  readonly from: ReadonlyMap<string, number>;
  /** False where the store keeps none: what it may have written already is marked as a repeat. */
  readonly keepsPositions: boolean;
  readonly report: (line: string) => void;
  /** Hears why nothing can be read now; undefined once it can. */
  readonly onTrouble: (why: string | undefined) => void;
}

/** Opens the reading end of the bus in this thread. Kafka's client is loaded where it is used. */
export async function openBusReader(
  bus: BusReaderData,
  options: BusReaderOptions,
): Promise<BusConsumer> {
  if (bus.kind === "embedded") return openEmbedded(bus.port, options);
  const { openKafkaReader } = await import("../bus/kafka/kafka-reader.ts");
  const repeatBounds = options.keepsPositions ? undefined : REPEAT_BOUNDS;
  return openKafkaReader({ config: bus.config, ...options, repeatBounds });
}

async function openEmbedded(
  port: MessagePort,
  { dataDir, from, keepsPositions, report }: BusReaderOptions,
): Promise<BusConsumer> {
  const consumer = await EmbeddedBusConsumer.connect({
    dir: join(dataDir, "bus"),
    port,
    from,
    marksRepeats: !keepsPositions,
    onDamage: (damage) => report(describeDamage(damage)),
  });
  await commitStored(consumer, from);
  return consumer;
}

/**
 * After a crash between the store's commit and the bus's, the store knows better. Not where the
 * consumer begins elsewhere: then these positions were counted in another bus.
 */
async function commitStored(
  consumer: EmbeddedBusConsumer,
  from: ReadonlyMap<string, number>,
): Promise<void> {
  const offset = from.get(EMBEDDED_PARTITION);
  if (offset === undefined || offset !== consumer.nextOffset) return;
  await consumer.commit({ partition: EMBEDDED_PARTITION, offset });
}
