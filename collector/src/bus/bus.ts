/**
 * The bus: the durable queue between receiver and indexer. Embedded (segment files) or Kafka.
 *
 * Promises
 * - `publish` resolves only after the message is durable (fsynced; on Kafka acks=all). It rejects
 *   with a `BusError` otherwise; a rejected message may still be delivered, never half of it.
 * - Messages of one partition are delivered in the order of their offsets, none left out.
 * - Nothing is delivered before it is durable.
 * - A message is kept until every offset up to its own was committed, and re-delivered to a
 *   consumer that starts before that.
 * - Memory is bounded: `publish` rejects with `BUS_OVERLOADED` beyond the bytes it may hold.
 * - `stop` may be called twice, is safe before the first `publish`, and resolves once everything
 *   accepted so far is durable or rejected.
 *
 * Errors: BUS_OVERLOADED, BUS_DISK_FULL, BUS_UNAVAILABLE, BUS_MESSAGE_TOO_LARGE, BUS_STOPPED (see
 * errors.ts).
 */

export type Topic = "logs" | "traces" | "metrics" | "dead-letters";
export const TOPICS: readonly Topic[] = ["logs", "traces", "metrics", "dead-letters"];

export interface MessageHeaders {
  /** Minted at receipt (UUIDv7). */
  readonly requestId: string;
  /** Which part of a split request, from 0. */
  readonly part: number;
  /** Records in this message. */
  readonly records: number;
  /** Unix time of receipt. */
  readonly receivedNs: bigint;
  /** The client says that it may have sent these records before. */
  readonly repeat: boolean;
  /** Of a message with one record that was minted before: the id it has, whatever it says. */
  readonly recordId?: string;
  /** Of a dead letter that is sent again: when somebody asked for it, by the letter's clock. */
  readonly replayedNs?: bigint;
}

export interface OutgoingMessage {
  readonly topic: Topic;
  readonly headers: MessageHeaders;
  /** An OTLP export request as plain protobuf; for `dead-letters` a dead letter. */
  readonly value: Uint8Array;
}

/** Offsets count messages from 0 within a partition. */
export interface Position {
  readonly partition: string;
  readonly offset: number;
}

export interface DeliveredMessage extends OutgoingMessage, Position {}

export interface BusLag {
  /** Published and not yet committed. */
  readonly messages: number;
  readonly records: number;
  /** Age of the oldest message not yet committed, 0 where there is none. */
  readonly seconds: number;
}

export interface Bus {
  /**
   * Bytes of the largest value that `publish` takes; whoever has more splits it at record bounds.
   * Beyond, `publish` rejects with `BUS_MESSAGE_TOO_LARGE`. It may change while the bus runs (the
   * topic's limit on Kafka is an operator's to change), so it is read for each request.
   */
  readonly maxMessageBytes: number;
  /**
   * Whether metrics that are published are kept for somebody to read: true on Kafka, where the
   * topic retains them for any consumer; false in the embedded bus, where nothing reads them, so
   * that a 200 for them would promise nothing.
   */
  readonly keepsMetrics: boolean;
  /** Once it has resolved nobody reads its value any more: the caller may give its memory back. */
  publish(message: OutgoingMessage): Promise<Position>;
  /**
   * Starts at `from[partition]`, where given, else after the last committed offset.
   * One consumer at a time in the embedded bus.
   */
  openConsumer(from: ReadonlyMap<string, number>): Promise<BusConsumer>;
  lag(): Promise<BusLag>;
  /** Rejects with the reason while messages cannot be made durable. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

export interface BusConsumer {
  /**
   * The next messages in order, at least one and at most about `maxBytes` of values (one message
   * may be larger). Waits until there is one; resolves `[]` once `signal` aborts or `stop` was
   * called.
   */
  read(request: { maxBytes: number; signal: AbortSignal }): Promise<readonly DeliveredMessage[]>;
  /** Everything before `offset` (exclusive) in this partition is safe elsewhere. */
  commit(nextPosition: Position): Promise<void>;
  stop(): Promise<void>;
}
