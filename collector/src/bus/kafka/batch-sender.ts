import type { ICustomPartitioner, Kafka, PartitionMetadata, Producer } from "kafkajs";
import { ClewError } from "../../errors.ts";
import type { BatchPosition } from "./group-commit.ts";
import { toKafkaError } from "./kafka-errors.ts";
import { StandIn } from "./send-batches-whole.ts";

/** How long the broker may take to copy a batch to all replicas in sync. */
const ACKNOWLEDGE_TIMEOUT_MS = 8_000;
/** A batch not acknowledged by then is not sent again: its senders were told 503 long before. */
const SEND_AGAIN_MS_MAX = 10_000;
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 30 };

/** Sends batches, each to one partition, and knows where they came to lie. */
export class BatchSender {
  readonly #producer: Producer;
  #isConnected = false;

  constructor(client: Kafka) {
    this.#producer = client.producer({
      allowAutoTopicCreation: false,
      createPartitioner: partitionsInTurn,
      // With concurrent sends kafkajs's idempotent producer can lose messages.
      idempotent: false,
      retry: RETRY,
    });
  }

  /** Kept up by kafkajs itself from then on. */
  async connect(): Promise<void> {
    if (this.#isConnected) return;
    await this.#producer.connect();
    this.#isConnected = true;
  }

  /**
   * Resolves once all replicas in sync have the batch.
   * @param topic its name at the broker
   * @param batch as `encodeRecordBatch` makes it
   * @throws ClewError BUS_UNAVAILABLE, BUS_REFUSED; BUS_MESSAGE_TOO_LARGE for the batch as a whole
   */
  async send(topic: string, batch: Buffer): Promise<BatchPosition> {
    if (!this.#isConnected) {
      throw new ClewError("BUS_UNAVAILABLE", "cannot publish: Kafka was not reached yet");
    }
    try {
      const answers = await this.#producer.send({
        topic,
        acks: -1,
        timeout: ACKNOWLEDGE_TIMEOUT_MS,
        messages: [new StandIn({ batch, endMs: performance.now() + SEND_AGAIN_MS_MAX })],
      });
      // kafkajs resolves to nothing where it found no partition to send to: the batch is gone.
      const [answer] = answers;
      const firstOffset = Number(answer?.baseOffset ?? Number.NaN);
      if (answer === undefined || !Number.isSafeInteger(firstOffset)) {
        throw new ClewError("BUS_UNAVAILABLE", `cannot publish: ${topic} has no such partition`);
      }
      return { partition: answer.partition, firstOffset };
    } catch (error) {
      throw toKafkaError(error, { act: "publish", resource: `topic ${topic}`, right: "Write" });
    }
  }

  async stop(): Promise<void> {
    await this.#producer.disconnect();
  }
}

/**
 * Each batch goes to one partition, each next one to the next that has a leader. kafkajs asks again
 * for each attempt, with the partitions as it knows them then: the place where attempts can end.
 */
function partitionsInTurn(): ReturnType<ICustomPartitioner> {
  let turn = 0;
  return ({ partitionMetadata, message }) => {
    if (!(message instanceof StandIn)) throw new TypeError("cannot send what was not packed");
    if (performance.now() > message.endMs) {
      throw new ClewError(
        "BUS_UNAVAILABLE",
        `cannot publish: Kafka has not taken it within ${SEND_AGAIN_MS_MAX} ms`,
      );
    }
    const led = partitionMetadata.filter(hasLeader);
    const choice = led.length > 0 ? led : partitionMetadata;
    turn = (turn + 1) % choice.length;
    return choice[turn]?.partitionId ?? 0;
  };
}

function hasLeader({ partitionErrorCode, leader }: PartitionMetadata): boolean {
  return partitionErrorCode === 0 && leader >= 0;
}
