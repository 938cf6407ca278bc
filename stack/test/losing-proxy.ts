import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** Whether what was sent there is lost: its path, and its body as bytes of text. */
export type IsLost = (path: string, body: Buffer) => boolean;

/**
 * Stands between a service and its collector and loses what it is told to: the service gets its
 * 200, the collector never hears of it. As a broken gateway, or a disk that lied, would.
 */
export class LosingProxy {
  readonly #server: Server;
  readonly #collectorUrl: string;
  readonly #isLost: IsLost;
  lost = 0;

  private constructor(collectorUrl: string, isLost: IsLost) {
    this.#collectorUrl = collectorUrl;
    this.#isLost = isLost;
    this.#server = createServer((incoming, answer) => {
      this.#pass(incoming, answer).catch((error: Error) => answer.destroy(error));
    });
  }

  static async start(collectorUrl: string, isLost: IsLost): Promise<LosingProxy> {
    const proxy = new LosingProxy(collectorUrl, isLost);
    const { promise, resolve } = Promise.withResolvers<void>();
    proxy.#server.listen(0, "127.0.0.1", resolve);
    await promise;
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const sent = Buffer.concat(chunks);
    const isPacked = incoming.headers["content-encoding"] === "gzip";
    const path = incoming.url ?? "/";
    if (this.#isLost(path, isPacked ? gunzipSync(sent) : sent)) {
      this.lost++;
      answer.writeHead(200, { "content-type": "application/x-protobuf" }).end();
      return;
    }
    const { method, headers } = incoming;
    const onward = request(new URL(path, this.#collectorUrl), { method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    onward.on("error", (error) => answer.destroy(error));
    onward.end(sent);
  }
}
