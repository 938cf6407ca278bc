import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { toClewError } from "../../errors.ts";
import type { NetworkList } from "../../network-list.ts";
import { KernelDrops } from "./kernel-drops.ts";
import type { SyslogCounts } from "./syslog-counts.ts";
import type { SyslogDoor } from "./syslog-door.ts";
import type { SyslogQueue } from "./syslog-queue.ts";

export interface SyslogUdpOptions {
  readonly host: string;
  /** Who may send; an address can be forged. */
  readonly networks: NetworkList;
  readonly door: Pick<SyslogDoor, "take">;
  readonly queue: Pick<SyslogQueue, "isOverfull">;
  readonly counts: SyslogCounts;
  readonly report: (line: string) => void;
}

/** The kernel keeps a burst of so much, where its own limit allows. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** Syslog over UDP (RFC 5426): a datagram is a message. What finds no room is lost, and counted. */
export class SyslogUdp {
  readonly #options: SyslogUdpOptions;
  readonly #socket: Socket;
  #kernelDrops: KernelDrops | undefined;

  constructor(options: SyslogUdpOptions) {
    this.#options = options;
    const type = isIPv6(options.host) ? "udp6" : "udp4";
    this.#socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
    this.#socket.on("message", (bytes, { address }) => this.#take(bytes, address));
  }

  /** Rejects as `bind` does. */
  async start(port: number): Promise<void> {
    const { host, report } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.once("error", reject);
    this.#socket.bind({ address: host, port, exclusive: true }, resolve);
    try {
      await promise;
    } catch (error) {
      this.#socket.close();
      throw error;
    }
    this.#socket.off("error", reject);
    this.#socket.on("error", (error) => report(`syslog over UDP: ${toClewError(error).message}`));
    this.#kernelDrops = new KernelDrops(this.#socket.address());
  }

  /** Brings `counts.dropped.kernel` up to date, where the system tells. */
  async countKernelDrops(): Promise<void> {
    const drops = await this.#kernelDrops?.read();
    if (drops !== undefined) this.#options.counts.dropped.kernel = drops;
  }

  stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.close(resolve);
    return promise;
  }

  #take(bytes: Buffer, peerAddress: string): void {
    const { networks, queue, door, counts } = this.#options;
    if (!networks.has(peerAddress)) counts.dropped.network++;
    else if (queue.isOverfull) counts.dropped.full++;
    else door.take({ bytes, part: 0, isCut: false }, this.#senderOf(peerAddress));
  }

  #senderOf(peerAddress: string) {
    return { transport: "udp", peerAddress, last: undefined } as const;
  }
}
