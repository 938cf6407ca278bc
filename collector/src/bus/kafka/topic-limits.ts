import kafkajs, { type Admin } from "kafkajs";
import { BATCH_HEAD_BYTES } from "./record-batch.ts";

/** Kafka's own default of `max.message.bytes`: 1 MiB and the head of a batch. */
export const MESSAGE_BYTES_DEFAULT = 1_048_588;

/** zstd makes what cannot be compressed larger by a 256th and its frame. */
const EXPANSION_DIVISOR = 256;
const FRAME_BYTES = 1024;
const READ_EVERY_MS = 60_000;
const LIMIT_NAME = "max.message.bytes";

/** The largest batch that every topic of the bus takes; an operator may change it at any time. */
export class TopicLimits {
  readonly #topics: readonly string[];
  #maxBytes = MESSAGE_BYTES_DEFAULT;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(topics: readonly string[]) {
    this.#topics = topics;
  }

  /** Bytes of the records of one batch, before compression, that fit whatever they hold. */
  get recordsBytesMax(): number {
    const bytes = this.#maxBytes - BATCH_HEAD_BYTES - FRAME_BYTES;
    return Math.max(1, bytes - Math.ceil(bytes / EXPANSION_DIVISOR));
  }

  /** Reads the limits where they were not read for long; without the right to, the last hold. */
  async refresh(admin: Admin): Promise<void> {
    if (performance.now() - this.#readAtMs < READ_EVERY_MS) return;
    const limits = await Promise.allSettled(this.#topics.map((topic) => readLimit(admin, topic)));
    const read = limits.flatMap((limit) => (limit.status === "fulfilled" ? [limit.value] : []));
    if (read.length > 0) this.#maxBytes = Math.min(...read);
    this.#readAtMs = performance.now();
  }

  /**
   * A broker took offence at a batch of so many bytes as it travelled: somebody has lowered the
   * limit, or it cannot be read. Half of it is believed in until it can.
   */
  lower(packedBytes: number): void {
    this.#maxBytes = Math.min(this.#maxBytes, Math.floor(packedBytes / 2));
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }
}

async function readLimit(admin: Admin, topic: string): Promise<number> {
  const resource = {
    type: kafkajs.ConfigResourceTypes.TOPIC,
    name: topic,
    configNames: [LIMIT_NAME],
  };
  const { resources } = await admin.describeConfigs({
    resources: [resource],
    includeSynonyms: false,
  });
  const entry = resources[0]?.configEntries.find(({ configName }) => configName === LIMIT_NAME);
  const bytes = Number(entry?.configValue);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : MESSAGE_BYTES_DEFAULT;
}
