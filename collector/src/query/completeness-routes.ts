import type { Hono } from "hono";
import type { BusLag } from "../bus/bus.ts";
import { LEDGER_RUNS_MAX, type RunLedger } from "../store/ledger.ts";
import type { StoreReader } from "../store/store.ts";
import { ask } from "./ask-store.ts";
import { withDeadline } from "./deadline.ts";
import { given, Parameters } from "./parameters.ts";
import { showRun, sumUp } from "./shown-run.ts";

export interface CompletenessParts {
  readonly reader: StoreReader;
  /** How far the indexers are behind; rejects while the bus is away. */
  readonly busLag: () => Promise<BusLag>;
}

const PARAMETERS = ["from", "to", "service", "cursor", "limit"];
const LAG_MS_MAX = 5000;

/** `GET /completeness`: the runs of a window, and what of their records is stored (docs/api.md). */
export function addCompletenessRoute(app: Hono, { reader, busLag }: CompletenessParts): void {
  app.get("/completeness", async (c) => {
    const parameters = new Parameters(new URL(c.req.url).searchParams, PARAMETERS);
    const window = parameters.window();
    // Asked first: what is stored meanwhile is then counted in the bus and in the store, not never.
    const lag = await findLag(busLag);
    const page = await ask(
      reader.listRunIds({
        ...given("seenFromNs", window.fromNs),
        ...given("toNs", window.toNs),
        ...given("service", parameters.text("service")),
        ...given("cursor", parameters.text("cursor")),
        limit: parameters.limit(),
      }),
    );
    const ledgers = await ledgersOf(reader, { runIds: page.items, ...window });
    return c.json({
      runs: ledgers.map((ledger) => showRun(ledger, lag)),
      total: {
        runs: ledgers.length,
        logs: sumUp(
          ledgers.map(({ logs }) => logs),
          lag,
        ),
        spans: sumUp(
          ledgers.map(({ spans }) => spans),
          lag,
        ),
      },
      inBus: lag,
      cursor: page.cursor,
      isCut: page.isCut,
    });
  });
}

/** Null where the bus cannot be asked: that is no reason to keep back what is known. */
function findLag(busLag: () => Promise<BusLag>): Promise<BusLag | null> {
  const deadline = { ms: LAG_MS_MAX, code: "BUS_UNAVAILABLE", what: "ask the bus" } as const;
  // The bus itself tells what it suffers from, in /readyz and in its metrics.
  return withDeadline(busLag(), deadline).catch(() => null);
}

interface AskedRuns {
  readonly runIds: readonly string[];
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
}

/** In the order of the runs, as many at once as a store takes. */
async function ledgersOf(reader: StoreReader, asked: AskedRuns): Promise<RunLedger[]> {
  const found = new Map<string, RunLedger>();
  for (let at = 0; at < asked.runIds.length; at += LEDGER_RUNS_MAX) {
    const runIds = asked.runIds.slice(at, at + LEDGER_RUNS_MAX);
    for (const ledger of await ask(reader.ledgers({ ...asked, runIds }))) {
      found.set(ledger.runId, ledger);
    }
  }
  return asked.runIds.flatMap((runId) => found.get(runId) ?? []);
}
