import type { Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createAdaptorServer } from "@hono/node-server";
import { type Config, VARIABLE } from "../config.ts";
import { ClewError } from "../errors.ts";

export interface HttpListenerOptions {
  readonly config: Pick<Config, "host" | "port" | "tls">;
  /** Answers a request, as Hono's application does. */
  readonly fetch: (request: Request, environment: object) => Response | Promise<Response>;
}

const HEADER_BYTES_MAX = 16 * 1024;
const REQUEST_MS_MAX = 30_000;
const CLOSE_MS_MAX = 2000;
/** Such a connection is none of HTTP's yet, and holds up the end. */
const HANDSHAKE_MS_MAX = 5000;

/** The port for people and their tools, with its bounds; what is answered there is another's. */
export class HttpListener {
  readonly #config: HttpListenerOptions["config"];
  readonly #server: Server;
  #stopped: Promise<void> | undefined;

  constructor({ config, fetch }: HttpListenerOptions) {
    const { tls } = config;
    this.#config = config;
    const bounds = {
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_MS_MAX,
      headersTimeout: REQUEST_MS_MAX,
    };
    const server = createAdaptorServer({
      fetch,
      overrideGlobalObjects: false,
      ...(tls === undefined
        ? { serverOptions: bounds }
        : {
            createServer: createTlsServer,
            serverOptions: {
              ...bounds,
              handshakeTimeout: HANDSHAKE_MS_MAX,
              cert: tls.cert,
              key: tls.key,
            },
          }),
    });
    this.#server = server as Server;
  }

  /** @throws ClewError PORT_IN_USE, CONFIG_INVALID where this machine does not have the address. */
  async start(): Promise<{ port: number }> {
    const { host, port } = this.#config;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", (error) => reject(toListenError(error, this.#config)));
    this.#server.listen({ host, port, exclusive: true }, resolve);
    await promise;
    const address = this.#server.address();
    return { port: typeof address === "object" && address ? address.port : port };
  }

  /** Lets answers under way finish for a bounded time, then closes. */
  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #close(): Promise<void> {
    if (!this.#server.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), CLOSE_MS_MAX);
    await promise;
    clearTimeout(timer);
  }
}

function toListenError(
  cause: NodeJS.ErrnoException,
  { host, port }: HttpListenerOptions["config"],
): ClewError {
  if (cause.code === "EADDRINUSE") {
    const why = `another process has port ${port}; set ${VARIABLE.port} to another`;
    return new ClewError("PORT_IN_USE", `cannot listen on ${host}:${port}: ${why}`, { cause });
  }
  const what = `${VARIABLE.host}=${host}, ${VARIABLE.port}=${port}`;
  const why = cause.code ?? cause.message;
  return new ClewError("CONFIG_INVALID", `cannot listen on ${what}: ${why}`, { cause });
}
