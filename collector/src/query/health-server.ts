import { Hono } from "hono";
import { type Config, VARIABLE } from "../config.ts";
import { ClewError, toClewError } from "../errors.ts";
import { checkHost } from "./check-host.ts";
import { addHealthRoutes, type HealthParts } from "./health-answers.ts";
import { HttpListener } from "./http-listener.ts";
import { respondWithProblem } from "./problem.ts";

export interface HealthServerOptions extends HealthParts {
  readonly config: Pick<Config, "host" | "port" | "queryTokens" | "tls" | "roles">;
  /** A fault of our own, which the client is told only the kind of. */
  readonly onFault: (error: ClewError) => void;
}

/** The port of a process without the role `query`: probes and metrics, and no page. */
export class HealthServer {
  readonly #listener: HttpListener;

  constructor(options: HealthServerOptions) {
    const { fetch } = createApp(options);
    this.#listener = new HttpListener({ config: options.config, fetch });
  }

  /** @throws ClewError PORT_IN_USE, CONFIG_INVALID where this machine does not have the address. */
  start(): Promise<{ port: number }> {
    return this.#listener.start();
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }
}

function createApp(options: HealthServerOptions): Hono {
  const { config, onFault } = options;
  const app = new Hono();
  app.onError((error) => {
    const told = toClewError(error);
    if (told.code !== "INTERNAL") return respondWithProblem(told);
    onFault(told);
    return respondWithProblem(new ClewError("INTERNAL", "cannot answer: see the collector's log"));
  });
  app.use(async (c, next) => {
    if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      const why = "allowed are GET, HEAD";
      throw new ClewError("METHOD_NOT_ALLOWED", `cannot ${c.req.method} here: ${why}`);
    }
    checkHost(c.req.header("host"), config);
    await next();
  });
  addHealthRoutes(app, options);
  app.all("*", (c) => {
    const why = `this process has ${VARIABLE.roles}=${config.roles.join()}; ask one with query`;
    throw new ClewError("NOT_FOUND", `cannot find ${c.req.path}: ${why}`);
  });
  return app;
}
