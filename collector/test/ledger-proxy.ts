/** Between services and the collector: passes requests on, or takes them and keeps them. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  OtlpSink,
  type ReceivedLog,
  type ReceivedSpan,
} from "../../instrumentation/test/otlp-sink.ts";

const REQUEST_MS_MAX = 30_000;
const PASSED_ON = ["content-type", "content-encoding", "clew-attempt"] as const;

interface Request {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

export class LedgerProxy {
  /** While it is true, what comes is answered 200 and passed on to nobody. */
  isWithholding = false;
  readonly #to: string;
  /** Reads what is withheld. */
  readonly #sink = new OtlpSink();
  readonly #withheld: Request[] = [];
  #sinkUrl = "";
  readonly #server = createServer((request, response) => {
    this.#relay(request, response).catch((error: Error) => response.destroy(error));
  });

  constructor(to: string) {
    this.#to = to;
  }

  async start(): Promise<string> {
    this.#sinkUrl = await this.#sink.start();
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await this.#sink.stop();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get logs(): readonly ReceivedLog[] {
    return [...this.#sink.logs, ...this.#sink.reports];
  }

  get spans(): readonly ReceivedSpan[] {
    return this.#sink.spans;
  }

  /** Passes on after all what was withheld. */
  async release(): Promise<void> {
    for (const request of this.#withheld.splice(0)) await send(this.#to, request);
  }

  async #relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = await request.toArray();
    const given = PASSED_ON.flatMap((name) => {
      const value = request.headers[name];
      return typeof value === "string" ? [[name, value] as const] : [];
    });
    const passed: Request = {
      path: request.url ?? "/",
      headers: Object.fromEntries(given),
      body: Buffer.concat(chunks),
    };
    if (this.isWithholding) this.#withheld.push(passed);
    const answer = await send(this.isWithholding ? this.#sinkUrl : this.#to, passed);
    response.writeHead(answer.status, { "content-type": "application/x-protobuf" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }
}

function send(to: string, { path, headers, body }: Request): Promise<Response> {
  const signal = AbortSignal.timeout(REQUEST_MS_MAX);
  return fetch(to + path, { method: "POST", headers, body: new Uint8Array(body), signal });
}
