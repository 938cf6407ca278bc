import type { Bus } from "./bus/bus.ts";
import type { Config } from "./config.ts";
import type { ClewError } from "./errors.ts";
import type { MetricRegistry } from "./metrics.ts";
import type { Part } from "./query/readiness.ts";
import type { RunningParts } from "./running-parts.ts";
import type { StoredNews } from "./stored-news.ts";

/** What the parts of all roles share while the collector is put together. */
export interface CollectorContext {
  readonly config: Config;
  readonly registry: MetricRegistry;
  /** Each part that is started is entered here, so that it is stopped whatever happens next. */
  readonly running: RunningParts;
  readonly bus: Bus;
  readonly news: StoredNews;
  /** What `/readyz` looks at; each role adds what it needs. */
  readonly parts: Part[];
  /** Unix time. */
  readonly nowNs: () => bigint;
  /** Hears one line each time something went wrong that does not end the process. */
  readonly report: (line: string) => void;
}

/** A fault of our own, with the place it came from. */
export function describeFault(error: ClewError): string {
  const cause = error.cause instanceof Error ? error.cause.stack : undefined;
  return cause ?? error.stack ?? error.message;
}
