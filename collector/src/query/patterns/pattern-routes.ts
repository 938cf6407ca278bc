import type { Hono } from "hono";
import type { StoreReader } from "../../store/store.ts";
import { logFilter } from "../log-filter.ts";
import { invalidParameter, Parameters } from "../parameters.ts";
import { formatRfc3339 } from "../rfc3339.ts";
import { type LogPattern, PatternSearch } from "./find-patterns.ts";

const PARAMETERS = ["q", "service", "severity", "from", "to", "reports", "limit"];
const WINDOW_NS_DEFAULT = 3_600_000_000_000n;
const PATTERNS_MAX = 100;
const MESSAGE_CHARS_MAX = 1024;

/** `GET /logs/patterns` (docs/api.md). */
export function addPatternRoutes(
  app: Hono,
  reader: StoreReader,
  { nowNs, nowMs = () => performance.now() }: { nowNs: () => bigint; nowMs?: () => number },
): void {
  app.get("/logs/patterns", async (c) => {
    const parameters = new Parameters(new URL(c.req.url).searchParams, PARAMETERS);
    const { fromNs: from, toNs = nowNs() } = parameters.window();
    const fromNs = from ?? (toNs > WINDOW_NS_DEFAULT ? toNs - WINDOW_NS_DEFAULT : 0n);
    if (fromNs > toNs) {
      const value = parameters.text("from") ?? "";
      throw invalidParameter({ name: "from", value, allowed: "a time before `to`, or before now" });
    }
    const limit = Math.min(parameters.limit(), PATTERNS_MAX);
    const filter = { ...logFilter(parameters), fromNs, toNs, limit };
    const found = await new PatternSearch(reader, nowMs).find(filter);
    return c.json({
      patterns: found.patterns.map((pattern) => viewPattern(pattern, found.records)),
      patternCount: found.patternCount,
      records: found.records,
      others: found.others,
      from: formatRfc3339(fromNs),
      to: formatRfc3339(toNs),
      isCut: found.isCut,
    });
  });
}

function viewPattern({ tokens, figures, isNew }: LogPattern, records: number): object {
  const { example } = figures;
  return {
    template: tokens.join(" "),
    count: figures.count,
    share: figures.count / records,
    isNew,
    services: [...figures.services].toSorted(),
    severities: Object.fromEntries(figures.severities),
    firstSeenAt: figures.firstSeen,
    lastSeenAt: figures.lastSeen,
    transactionIds: [...figures.transactionIds],
    example:
      example === undefined
        ? null
        : { id: example.id, message: example.message.slice(0, MESSAGE_CHARS_MAX) },
  };
}
