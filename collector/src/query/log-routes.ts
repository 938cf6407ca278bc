import type { Context, Hono } from "hono";
import { ClewError } from "../errors.ts";
import type { LogFilter, ServiceOverview, StoreReader } from "../store/store.ts";
import { ask } from "./ask-store.ts";
import { logFilter } from "./log-filter.ts";
import type { LogTails } from "./log-tails.ts";
import { given, Parameters } from "./parameters.ts";
import { formatRfc3339 } from "./rfc3339.ts";

const SEARCH_PARAMETERS = ["q", "service", "severity", "from", "to", "reports", "cursor", "limit"];
const TAIL_PARAMETERS = ["q", "service", "severity", "from", "reports", "cursor"];

/** `GET /logs`, `GET /logs/tail` and `GET /services` (docs/api.md). */
export function addLogRoutes(app: Hono, reader: StoreReader, tails: LogTails): void {
  app.get("/logs", async (c) => {
    const parameters = new Parameters(new URL(c.req.url).searchParams, SEARCH_PARAMETERS);
    const filter: LogFilter = {
      ...logFilter(parameters),
      ...parameters.window(),
      ...given("cursor", parameters.text("cursor")),
      limit: parameters.limit(),
      order: "newest",
    };
    const page = await ask(reader.searchLogs(filter));
    return c.json({ records: page.items, cursor: page.cursor, isCut: page.isCut });
  });
  app.get("/logs/tail", async (c) => {
    if (c.req.method === "HEAD") {
      throw new ClewError("METHOD_NOT_ALLOWED", "cannot HEAD a live tail: allowed is GET");
    }
    const parameters = new Parameters(new URL(c.req.url).searchParams, TAIL_PARAMETERS);
    const cursor = c.req.header("last-event-id") || parameters.text("cursor");
    const { signal } = c.req.raw;
    const body = await tails.open({
      filter: logFilter(parameters),
      ...given("fromNs", parameters.timeNs("from")),
      ...given("cursor", cursor),
      signal,
      cutOff: () => connectionOf(c)?.destroy(),
    });
    return c.body(body, 200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  });
  app.get("/services", async (c) => {
    const parameters = new Parameters(new URL(c.req.url).searchParams, ["from", "to"]);
    const services = await ask(reader.services(parameters.window()));
    return c.json({ services: services.map(viewService) });
  });
}

function viewService({ lastSeenNs, ...figures }: ServiceOverview): object {
  return { ...figures, lastSeenAt: formatRfc3339(lastSeenNs) };
}

/** Node's own response, where there is one: a request handed in by a test has no connection. */
function connectionOf(c: Context): { destroy(): void } | undefined {
  const bindings: { outgoing?: { destroy(): void } } | undefined = c.env;
  return bindings?.outgoing;
}
