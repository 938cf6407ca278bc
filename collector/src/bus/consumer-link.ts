import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { ConsumerAnswer, ConsumerRequest } from "./consumer-protocol.ts";
import type { DurableEnd } from "./segment-log.ts";

export interface ConsumerLinkOptions {
  /** Where a consumer that asks for `from` begins. */
  readonly start: (from: number | undefined) => Promise<number>;
  readonly durable: () => DurableEnd;
  readonly commit: (offset: number) => void;
  readonly onFault: (cause: unknown) => undefined;
}

/**
 * The bus's end of the line to its consumer. The consumer asks and is answered once, so that no
 * news pile up while it is busy.
 */
export class ConsumerLink {
  /** The consumer's end, to be transferred to its thread. */
  readonly remotePort: MessagePort;
  readonly #options: ConsumerLinkOptions;
  readonly #port: MessagePort;
  #waitsBeyond: number | undefined;

  constructor(options: ConsumerLinkOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#options = options;
    this.#port = port1;
    this.remotePort = port2;
    this.#port.on("message", (request: ConsumerRequest) => void this.#serve(request));
    // The line alone does not keep the process alive.
    this.#port.unref();
  }

  /** Tells a waiting consumer; called after each group. */
  notify(): void {
    const durable = this.#options.durable();
    if (this.#waitsBeyond === undefined || durable.nextOffset <= this.#waitsBeyond) return;
    this.#waitsBeyond = undefined;
    this.#answer({ kind: "durable", durable });
  }

  close(): void {
    this.#answer({ kind: "stopped" });
    this.#port.close();
  }

  async #serve(request: ConsumerRequest): Promise<void> {
    if (request.kind === "open") {
      const start = await this.#options.start(request.from).catch(this.#options.onFault);
      if (start === undefined) return this.close();
      this.#answer({ kind: "opened", start, durable: this.#options.durable() });
    } else if (request.kind === "wait") {
      this.#waitsBeyond = request.beyond;
      this.notify();
    } else if (request.kind === "commit") {
      this.#options.commit(request.offset);
      this.#answer({ kind: "committed", offset: request.offset });
    } else this.close();
  }

  #answer(answer: ConsumerAnswer): void {
    this.#port.postMessage(answer);
  }
}
