import type { MessagePort } from "node:worker_threads";
import { ClewError } from "../errors.ts";
import type { BusConsumer, DeliveredMessage, Position } from "./bus.ts";
import type { ConsumerAnswer, ConsumerRequest } from "./consumer-protocol.ts";
import { EMBEDDED_PARTITION } from "./segment-format.ts";
import type { DurableEnd } from "./segment-log.ts";
import { type Damage, listSegments, SegmentReader } from "./segment-reader.ts";

const OPEN_TIMEOUT_MS = 30_000;

export interface ConnectOptions {
  /** The bus's own directory. */
  readonly dir: string;
  /** From `EmbeddedBus.consumerPort()`. */
  readonly port: MessagePort;
  readonly from: ReadonlyMap<string, number>;
  /**
   * Marks what was in the bus before as a repeat: only this process reads it, so nothing else can
   * have been written by a start before this one, however far it came.
   */
  readonly marksRepeats?: boolean;
  /** Hears of every stretch of bytes that was passed over. */
  readonly onDamage: (damage: Damage) => void;
}

/**
 * Reads the segment files of the embedded bus in whichever thread it lives, never beyond what the
 * bus said is durable. Reading blocks its thread.
 */
export class EmbeddedBusConsumer implements BusConsumer {
  readonly #options: ConnectOptions;
  readonly #waiters = new Set<() => void>();
  readonly #commits: Array<{ resolve: () => void; reject: (reason: unknown) => void }> = [];
  #durable: DurableEnd = { segment: 0, bytes: 0, nextOffset: 0 };
  #next = -1;
  #isAsking = false;
  #isStopped = false;
  /** Messages before this offset may have been read by a start before this one. */
  #repeatsBefore = 0;
  #reader: SegmentReader | undefined;

  static async connect(options: ConnectOptions): Promise<EmbeddedBusConsumer> {
    const consumer = new EmbeddedBusConsumer(options);
    await consumer.#open();
    return consumer;
  }

  private constructor(options: ConnectOptions) {
    this.#options = options;
    options.port.on("message", (answer: ConsumerAnswer) => this.#hear(answer));
    options.port.on("close", () => this.#end());
  }

  /** Offset of the next message that `read` gives. */
  get nextOffset(): number {
    return this.#next;
  }

  async read(request: {
    maxBytes: number;
    signal: AbortSignal;
  }): Promise<readonly DeliveredMessage[]> {
    const { maxBytes, signal } = request;
    while (!this.#isStopped && !signal.aborted) {
      const messages = this.#readDurable(maxBytes);
      if (messages.length > 0) return messages.map((message) => this.#mark(message));
      this.#reader?.close();
      if (!this.#isAsking) this.#ask({ kind: "wait", beyond: this.#next });
      this.#isAsking = true;
      await this.#news(signal);
    }
    return [];
  }

  commit(nextPosition: Position): Promise<void> {
    if (this.#isStopped) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      this.#commits.push({ resolve, reject });
      this.#ask({ kind: "commit", offset: nextPosition.offset });
    });
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#ask({ kind: "stop" });
    this.#end();
  }

  async #open(): Promise<void> {
    this.#ask({ kind: "open", from: this.#options.from.get(EMBEDDED_PARTITION) });
    await this.#news(AbortSignal.timeout(OPEN_TIMEOUT_MS));
    if (this.#next >= 0 && !this.#isStopped) return;
    await this.stop();
    throw new ClewError("BUS_UNAVAILABLE", "cannot open the consumer: the bus does not answer");
  }

  #hear(answer: ConsumerAnswer): void {
    if (answer.kind === "stopped") this.#end();
    else if (answer.kind === "committed") this.#commits.shift()?.resolve();
    else {
      this.#durable = answer.durable;
      if (answer.kind === "opened") this.#begin(answer.start);
      else this.#isAsking = false;
      this.#wakeAll();
    }
  }

  #begin(start: number): void {
    this.#next = start;
    if (this.#options.marksRepeats) this.#repeatsBefore = this.#durable.nextOffset;
  }

  #mark(message: DeliveredMessage): DeliveredMessage {
    if (message.offset >= this.#repeatsBefore) return message;
    return { ...message, headers: { ...message.headers, repeat: true } };
  }

  #end(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#reader?.close();
    this.#reader = undefined;
    for (const { reject } of this.#commits.splice(0)) reject(stopped());
    this.#options.port.close();
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  /** Resolves at the next answer, at the end, or once `signal` aborts. */
  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        this.#waiters.delete(wake);
        resolve();
      };
      signal.addEventListener("abort", wake);
      this.#waiters.add(wake);
    });
  }

  #ask(request: ConsumerRequest): void {
    this.#options.port.postMessage(request);
  }

  #readDurable(maxBytes: number): readonly DeliveredMessage[] {
    while (this.#next < this.#durable.nextOffset) {
      const { reader, endBytes, boundary } = this.#segment();
      const messages = reader
        .read({ maxBytes, endBytes })
        .filter(({ offset }) => offset >= this.#next && offset < boundary);
      const last = messages.at(-1);
      if (last !== undefined) {
        this.#next = last.offset + 1;
        return messages;
      }
      if (reader.position < endBytes) continue;
      this.#next = Math.max(this.#next, boundary);
      if (boundary === this.#durable.nextOffset) continue;
      reader.close();
      this.#reader = undefined;
    }
    return [];
  }

  /**
   * The segment that holds the next offset, and how far it counts: the last one to its durable
   * end, each other to the offset at which the next begins, whatever bytes follow there.
   */
  #segment(): { reader: SegmentReader; endBytes: number; boundary: number } {
    const durable = this.#durable;
    const reader = this.#reader ?? this.#openReader();
    this.#reader = reader;
    if (reader.first >= durable.segment) {
      return { reader, endBytes: durable.bytes, boundary: durable.nextOffset };
    }
    const following = listSegments(this.#options.dir).find((first) => first > reader.first);
    return { reader, endBytes: reader.fileBytes(), boundary: following ?? durable.nextOffset };
  }

  #openReader(): SegmentReader {
    const { dir, onDamage } = this.#options;
    const firsts = listSegments(dir);
    const first = firsts.findLast((candidate) => candidate <= this.#next) ?? firsts[0];
    if (first !== undefined) return new SegmentReader({ dir, first, onDamage });
    throw new ClewError("BUS_UNAVAILABLE", `cannot read the bus: ${dir} has no segments`);
  }
}

function stopped(): ClewError {
  return new ClewError("BUS_STOPPED", "cannot commit: the consumer has stopped");
}
