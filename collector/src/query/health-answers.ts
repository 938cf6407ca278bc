import type { Hono } from "hono";
import { checkToken } from "../check-token.ts";
import type { Config } from "../config.ts";
import { type Part, respondWithReadiness } from "./readiness.ts";

/** What `/metrics` shows; prom-client's registry is one. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface HealthParts {
  readonly config: Pick<Config, "queryTokens">;
  readonly metrics: MetricsSource;
  /** What `/readyz` looks at. */
  readonly parts: readonly Part[];
}

/** What every process answers: that it lives, whether it can do its work, its figures. */
export function addHealthRoutes(app: Hono, { config, metrics, parts }: HealthParts): void {
  app.get("/healthz", (c) => c.json({ status: "alive" }));
  app.get("/readyz", () => respondWithReadiness(parts));
  app.get("/metrics", async (c) => {
    checkToken(c.req.header("authorization"), config.queryTokens);
    return c.body(await metrics.metrics(), 200, { "content-type": metrics.contentType });
  });
}
