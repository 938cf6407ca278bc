import type { Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { checkToken } from "../check-token.ts";
import { type Config, VARIABLE } from "../config.ts";
import { ClewError, toClewError } from "../errors.ts";
import type { StoreReader } from "../store/store.ts";
import { checkHost } from "./check-host.ts";
import { addLogRoutes } from "./log-routes.ts";
import { LogTails, type StoreNews } from "./log-tails.ts";
import { respondWithProblem } from "./problem.ts";
import { type Part, respondWithReadiness } from "./readiness.ts";
import type { ScrapeTargets } from "./scrape-targets.ts";
import { addTransactionRoutes } from "./transaction-routes.ts";
import { respondWithWebPage } from "./web-page.ts";

/** What `/metrics` shows; prom-client's registry is one. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface QueryServerParts {
  readonly config: {
    readonly host: string;
    readonly port: number;
    readonly queryTokens: readonly string[];
    readonly tls: Config["tls"];
  };
  readonly reader: StoreReader;
  readonly news: StoreNews;
  readonly targets: Pick<ScrapeTargets, "list">;
  readonly metrics: MetricsSource;
  /** What `/readyz` looks at. */
  readonly parts: readonly Part[];
  /** Absolute folder of the built web page. */
  readonly pageDir: string;
  readonly nowNs: () => bigint;
  /** A fault of our own, which the client is told only the kind of. */
  readonly onFault: (error: ClewError) => void;
}

const HEADER_BYTES_MAX = 16 * 1024;
const REQUEST_MS_MAX = 30_000;
const CLOSE_MS_MAX = 2000;
/** Such a connection is none of HTTP's yet, and holds up the end. */
const HANDSHAKE_MS_MAX = 5000;
/** Prometheus takes service discovery in this very type only. */
const JSON_ANSWER = { "content-type": "application/json", "cache-control": "no-store" };

/** Web page, query API, `/metrics`, health and service discovery on one port (docs/api.md). */
export class QueryServer {
  readonly #parts: QueryServerParts;
  readonly #tails: LogTails;
  readonly #server: Server;
  #stopped: Promise<void> | undefined;

  constructor(parts: QueryServerParts) {
    this.#parts = parts;
    this.#tails = new LogTails(parts);
    const { tls } = parts.config;
    const bounds = {
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_MS_MAX,
      headersTimeout: REQUEST_MS_MAX,
    };
    const server = createAdaptorServer({
      fetch: createApp(parts, this.#tails).fetch,
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
    const { host, port } = this.#parts.config;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", (error) => reject(toListenError(error, this.#parts.config)));
    this.#server.listen({ host, port, exclusive: true }, resolve);
    await promise;
    const address = this.#server.address();
    return { port: typeof address === "object" && address ? address.port : port };
  }

  /** Ends live tails, lets answers under way finish for a bounded time, then closes. */
  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #close(): Promise<void> {
    this.#tails.stop();
    if (!this.#server.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), CLOSE_MS_MAX);
    await promise;
    clearTimeout(timer);
  }
}

/** All routes; apart from the server so that a test can send it requests without a socket. */
export function createApp(parts: QueryServerParts, tails: LogTails): Hono {
  const { config, metrics } = parts;
  const app = new Hono();
  app.onError((error) => {
    const told = toClewError(error);
    if (told.code !== "INTERNAL") return respondWithProblem(told);
    parts.onFault(told);
    return respondWithProblem(new ClewError("INTERNAL", "cannot answer: see the collector's log"));
  });
  app.use(async (c, next) => {
    if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      throw new ClewError(
        "METHOD_NOT_ALLOWED",
        `cannot ${c.req.method} here: allowed are GET, HEAD`,
      );
    }
    checkHost(c.req.header("host"), config);
    await next();
  });
  app.get("/healthz", (c) => c.json({ status: "alive" }));
  app.get("/readyz", () => respondWithReadiness(parts.parts));
  app.get("/metrics", async (c) => {
    checkToken(c.req.header("authorization"), config.queryTokens);
    return c.body(await metrics.metrics(), 200, { "content-type": metrics.contentType });
  });
  app.get("/sd/prometheus", async (c) => {
    checkToken(c.req.header("authorization"), config.queryTokens);
    return c.body(JSON.stringify(await parts.targets.list()), 200, JSON_ANSWER);
  });
  app.route("/api/v1", createApi(parts, tails));
  app.get("*", (c) =>
    respondWithWebPage({
      distDir: parts.pageDir,
      path: new URL(c.req.url).pathname,
      ifNoneMatch: c.req.header("if-none-match"),
    }),
  );
  return app;
}

function createApi({ config, reader }: QueryServerParts, tails: LogTails): Hono {
  const api = new Hono();
  api.use(async (c, next) => {
    checkToken(c.req.header("authorization"), config.queryTokens);
    await next();
    if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
  });
  addTransactionRoutes(api, reader);
  addLogRoutes(api, reader, tails);
  api.all("*", (c) => {
    throw new ClewError("NOT_FOUND", `cannot find ${c.req.path}: the query API has no such route`);
  });
  return api;
}

function toListenError(
  cause: NodeJS.ErrnoException,
  { host, port }: QueryServerParts["config"],
): ClewError {
  if (cause.code === "EADDRINUSE") {
    const why = `another process has port ${port}; set ${VARIABLE.port} to another`;
    return new ClewError("PORT_IN_USE", `cannot listen on ${host}:${port}: ${why}`, { cause });
  }
  const what = `${VARIABLE.host}=${host}, ${VARIABLE.port}=${port}`;
  const why = cause.code ?? cause.message;
  return new ClewError("CONFIG_INVALID", `cannot listen on ${what}: ${why}`, { cause });
}
