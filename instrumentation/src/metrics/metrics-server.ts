import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { answerHealth } from "../health/health-answer.ts";
import { countFault } from "../stats.ts";
import { EMPTY_CONTEXT, runIn } from "../transaction/transaction-context.ts";
import { markOwnServer } from "./own-server.ts";
import { writeMetrics } from "./prometheus-registry.ts";

/** Ports tried above the one that was asked for, before the system chooses one. */
export const PORTS_TRIED = 20;
const PORT_MAX = 65_535;
const CONNECTIONS_MAX = 64;
const REQUEST_TIMEOUT_MS = 10_000;
const OPEN_METRICS = "application/openmetrics-text";
const CONTENT_TYPES = {
  openmetrics: `${OPEN_METRICS}; version=1.0.0; charset=utf-8`,
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
} as const;
const ANY_ADDRESS = new Set(["0.0.0.0", "::"]);

/**
 * `/metrics`, `/healthz` and `/readyz` of this run. It never keeps the process alive, its requests
 * are no part of the service's own, and whatever goes wrong the service runs on.
 */
export class MetricsServer {
  readonly #host: string;
  #server: Server | undefined;
  #port: number | undefined;

  constructor(host: string) {
    this.#host = host;
  }

  /** `host:port` where others reach it, or undefined where it does not listen. */
  get address(): string | undefined {
    return this.#port === undefined ? undefined : formatAddress(this.#host, this.#port);
  }

  /**
   * Listens on the port, or, where it is taken, on the next free one.
   *
   * @throws where the system lets it listen on none: the host is no address of this machine
   */
  async start(port: number): Promise<void> {
    const last = Math.min(port + PORTS_TRIED, PORT_MAX);
    for (let next = port; next <= last; next++) {
      if (await this.#tryPort(next)) return;
    }
    await this.#tryPort(0);
  }

  stop(): void {
    this.#port = undefined;
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  /** @returns whether it listens; false where the port is taken */
  async #tryPort(port: number): Promise<boolean> {
    const server = runIn(SUPPRESSED, () => createServer(answer));
    markOwnServer(server);
    server.maxConnections = CONNECTIONS_MAX;
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    server.on("connection", (socket) => socket.unref());
    server.unref();
    const failure = await listen(server, { port, host: this.#host });
    if (failure !== undefined) {
      if (isTaken(failure)) return false;
      throw failure;
    }
    server.on("error", (error) => countFault("metrics", error));
    this.#server = server;
    const address = server.address();
    this.#port = typeof address === "object" && address !== null ? address.port : undefined;
    return true;
  }
}

const SUPPRESSED = EMPTY_CONTEXT.with({ suppressed: true });

/** In a cluster's worker a port would be shared, and each scrape would meet another worker. */
function listen(
  server: Server,
  at: { port: number; host: string },
): Promise<NodeJS.ErrnoException | undefined> {
  return runIn(SUPPRESSED, () => {
    return new Promise((resolve) => {
      server.once("error", resolve);
      server.listen({ ...at, exclusive: true }, () => {
        server.removeListener("error", resolve);
        resolve(undefined);
      });
    });
  });
}

/** A port that only root may have is as good as taken. */
function isTaken(error: NodeJS.ErrnoException): boolean {
  return error.code === "EADDRINUSE" || error.code === "EACCES";
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  answerAny(request, response).catch((error: unknown) => {
    countFault("metrics", error);
    if (!response.headersSent) response.statusCode = 500;
    response.end("cannot answer: see instrumentationStats().lastFault\n");
  });
}

async function answerAny(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  if (await answerHealth(request, response)) return;
  if (!/^\/metrics(?:\?|$)/.test(request.url ?? "")) {
    response.writeHead(404, { "content-type": CONTENT_TYPES.prometheus });
    response.end("there are /metrics, /healthz and /readyz\n");
    return;
  }
  const format = request.headers.accept?.includes(OPEN_METRICS) ? "openmetrics" : "prometheus";
  const text = await writeMetrics(format);
  response.writeHead(200, { "content-type": CONTENT_TYPES[format] }).end(text);
}

/** Listening on every address, it is told by one that others can reach. */
function formatAddress(host: string, port: number): string {
  const reachable = ANY_ADDRESS.has(host) ? firstOwnAddress() : host;
  return isIPv6(reachable) ? `[${reachable}]:${port}` : `${reachable}:${port}`;
}

function firstOwnAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = all.filter((address) => !address.internal);
  const chosen = outside.find((address) => address.family === "IPv4") ?? outside[0];
  return chosen?.address ?? "127.0.0.1";
}
