import { Hono } from "hono";
import type { BusLag } from "../bus/bus.ts";
import { checkToken } from "../check-token.ts";
import type { Config } from "../config.ts";
import { ClewError, toClewError } from "../errors.ts";
import type { StoreReader } from "../store/store.ts";
import { checkHost } from "./check-host.ts";
import { addCompletenessRoute } from "./completeness-routes.ts";
import type { LetterBus } from "./dead-letters/dead-letter-acts.ts";
import { createDeadLetterApi, isActPath } from "./dead-letters/dead-letter-routes.ts";
import { addHealthRoutes, type MetricsSource } from "./health-answers.ts";
import { HttpListener } from "./http-listener.ts";
import { addLogRoutes } from "./log-routes.ts";
import { LogTails, type StoreNews } from "./log-tails.ts";
import { addPatternRoutes } from "./patterns/pattern-routes.ts";
import { respondWithProblem } from "./problem.ts";
import type { Part } from "./readiness.ts";
import type { ScrapeTargets } from "./scrape-targets.ts";
import { addTraceRoutes } from "./trace-routes.ts";
import { addTransactionRoutes } from "./transaction-routes.ts";
import { respondWithWebPage } from "./web-page.ts";

export interface QueryServerParts {
  readonly config: {
    readonly host: string;
    readonly port: number;
    readonly queryTokens: Config["queryTokens"];
    readonly adminTokens: Config["adminTokens"];
    readonly tls: Config["tls"];
  };
  readonly reader: StoreReader;
  readonly news: StoreNews;
  readonly targets: Pick<ScrapeTargets, "list">;
  readonly metrics: MetricsSource;
  /** How far the indexers are behind; rejects while the bus is away. */
  readonly busLag: () => Promise<BusLag>;
  /** Through which dead letters are sent again. */
  readonly letterBus: LetterBus;
  /** What `/readyz` looks at. */
  readonly parts: readonly Part[];
  /** Absolute folder of the built web page. */
  readonly pageDir: string;
  readonly nowNs: () => bigint;
  /** A fault of our own, which the client is told only the kind of. */
  readonly onFault: (error: ClewError) => void;
}

/** Prometheus takes service discovery in this very type only. */
const JSON_ANSWER = { "content-type": "application/json", "cache-control": "no-store" };

/** Web page, query API, `/metrics`, health and service discovery on one port (docs/api.md). */
export class QueryServer {
  readonly #tails: LogTails;
  readonly #listener: HttpListener;

  constructor(parts: QueryServerParts) {
    this.#tails = new LogTails(parts);
    const { fetch } = createApp(parts, this.#tails);
    this.#listener = new HttpListener({ config: parts.config, fetch });
  }

  /** @throws ClewError PORT_IN_USE, CONFIG_INVALID where this machine does not have the address. */
  start(): Promise<{ port: number }> {
    return this.#listener.start();
  }

  /** Ends live tails, lets answers under way finish for a bounded time, then closes. */
  async stop(): Promise<void> {
    this.#tails.stop();
    await this.#listener.stop();
  }
}

/** All routes; apart from the server so that a test can send it requests without a socket. */
export function createApp(parts: QueryServerParts, tails: LogTails): Hono {
  const { config } = parts;
  const app = new Hono();
  app.onError((error) => {
    const told = toClewError(error);
    if (told.code !== "INTERNAL") return respondWithProblem(told);
    parts.onFault(told);
    return respondWithProblem(new ClewError("INTERNAL", "cannot answer: see the collector's log"));
  });
  app.use(async (c, next) => {
    const isAct = c.req.method === "POST" && isActPath(c.req.path);
    if (c.req.method !== "GET" && c.req.method !== "HEAD" && !isAct) {
      throw new ClewError(
        "METHOD_NOT_ALLOWED",
        `cannot ${c.req.method} here: allowed are GET, HEAD`,
      );
    }
    checkHost(c.req.header("host"), config);
    await next();
  });
  addHealthRoutes(app, parts);
  app.get("/sd/prometheus", async (c) => {
    checkToken(c.req.header("authorization"), config.queryTokens);
    return c.body(JSON.stringify(await parts.targets.list()), 200, JSON_ANSWER);
  });
  app.route("/api/v1", createDeadLetterApi(parts));
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

function createApi(parts: QueryServerParts, tails: LogTails): Hono {
  const { config, reader } = parts;
  const api = new Hono();
  api.use(async (c, next) => {
    checkToken(c.req.header("authorization"), config.queryTokens);
    await next();
    if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
  });
  addTransactionRoutes(api, parts);
  addTraceRoutes(api, reader);
  addCompletenessRoute(api, parts);
  addLogRoutes(api, reader, tails);
  addPatternRoutes(api, reader, parts);
  api.all("*", (c) => {
    throw new ClewError("NOT_FOUND", `cannot find ${c.req.path}: the query API has no such route`);
  });
  return api;
}
