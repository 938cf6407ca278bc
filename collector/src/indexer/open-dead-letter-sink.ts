import type { Bus, OutgoingMessage } from "../bus/bus.ts";
import type { KafkaConfig } from "../bus/kafka/config.ts";
import type { BusReaderData } from "./bus-reader.ts";
import { BusDeadLetterSink, type DeadLetterBus, type DeadLetterSink } from "./dead-letter-sink.ts";

/** Letters are published one after another; one is below 1 MiB. */
const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;

export interface OpenedDeadLetterSink {
  /** Absent: the store holds dead letters itself, in one act with the positions or before them. */
  readonly sink: DeadLetterSink | undefined;
  stop(): Promise<void>;
}

/**
 * Where dead letters go first, of an index thread that reads Kafka for a store without positions.
 * It connects when the first letter comes, which may be never.
 */
export function openDeadLetterSink(options: {
  readonly bus: BusReaderData;
  readonly keepsPositions: boolean;
  readonly report: (line: string) => void;
}): OpenedDeadLetterSink {
  const { bus, keepsPositions, report } = options;
  if (bus.kind === "embedded" || keepsPositions) {
    return { sink: undefined, stop: async () => undefined };
  }
  const publisher = new LatePublisher({ config: bus.config, report });
  return { sink: new BusDeadLetterSink(publisher), stop: () => publisher.stop() };
}

class LatePublisher implements DeadLetterBus {
  readonly #options: { readonly config: KafkaConfig; readonly report: (line: string) => void };
  #opening: Promise<Bus> | undefined;
  #bus: Bus | undefined;

  constructor(options: { config: KafkaConfig; report: (line: string) => void }) {
    this.#options = options;
  }

  /** Not known before it is connected; who then splits too little is told so, and tries again. */
  get maxMessageBytes(): number {
    return this.#bus?.maxMessageBytes ?? IN_FLIGHT_BYTES_MAX;
  }

  async publish(message: OutgoingMessage): Promise<unknown> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return (await this.#opening).publish(message);
  }

  async stop(): Promise<void> {
    await this.#bus?.stop();
  }

  async #open(): Promise<Bus> {
    const { KafkaBus } = await import("../bus/kafka/kafka-bus.ts");
    this.#bus = await KafkaBus.open({ ...this.#options, maxInFlightBytes: IN_FLIGHT_BYTES_MAX });
    return this.#bus;
  }
}
