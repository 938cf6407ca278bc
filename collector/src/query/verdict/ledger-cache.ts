import type { RunLedger } from "../../store/ledger.ts";
import { LEDGER_RUNS_MAX } from "../../store/ledger.ts";
import type { StoreReader } from "../../store/store.ts";
import { CLOCK_SKEW_NS, HELD_NS, NEAR_NS } from "./settle-times.ts";

/** Long enough for the transactions of one page, short enough that nobody sees it. */
const FRESH_MS = 1000;
const RUNS_MAX = 2048;
/** A gap so far outside of a transaction's time can concern it. */
const BESIDE_NS = NEAR_NS + HELD_NS + CLOCK_SKEW_NS;
/** Windows begin and end at multiples of this, so that neighbours share their answers. */
const GRAIN_NS = NEAR_NS;

interface Window {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

interface Kept extends Window {
  /** Null where nothing is known of the run. */
  readonly ledger: RunLedger | null;
  readonly untilMs: number;
}

export interface LedgerCacheParts {
  readonly reader: Pick<StoreReader, "ledgers">;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
}

/**
 * Ledgers of runs, each asked for once in a second: the transactions of a list share their runs. An
 * older ledger knows of fewer numbers, so that a verdict from it waits and is never too good.
 */
export class LedgerCache {
  readonly #parts: LedgerCacheParts;
  readonly #kept = new Map<string, Kept>();

  constructor(parts: LedgerCacheParts) {
    this.#parts = parts;
  }

  /** Ledgers of those that are known, with the gaps that may concern what lies in the window. */
  async find(runIds: readonly string[], of: Window): Promise<RunLedger[]> {
    const window = { fromNs: of.fromNs - BESIDE_NS, toNs: of.toNs + BESIDE_NS };
    const found = await this.#findIn(runIds, grained(window));
    const cut = found.filter(isCut);
    if (cut.length === 0) return found;
    // More gaps than are listed: fewer lie in the window itself.
    const exact = await this.#ask(
      cut.map(({ runId }) => runId),
      window,
    );
    const byId = new Map(exact.map((ledger) => [ledger.runId, ledger]));
    return found.map((ledger) => byId.get(ledger.runId) ?? ledger);
  }

  async #findIn(runIds: readonly string[], window: Window): Promise<RunLedger[]> {
    const nowMs = this.#parts.nowMs();
    const isKept = (runId: string) => {
      const kept = this.#kept.get(runId);
      return kept !== undefined && kept.untilMs >= nowMs && holds(kept, window);
    };
    const known = runIds.filter(isKept).flatMap((runId) => this.#kept.get(runId)?.ledger ?? []);
    const asked = runIds.filter((runId) => !isKept(runId));
    if (asked.length === 0) return known;
    const answered = await this.#ask(asked, window);
    const byId = new Map(answered.map((ledger) => [ledger.runId, ledger]));
    const untilMs = this.#parts.nowMs() + FRESH_MS;
    for (const runId of asked) {
      this.#keep(runId, { ...window, ledger: byId.get(runId) ?? null, untilMs });
    }
    return [...known, ...answered];
  }

  async #ask(runIds: readonly string[], window: Window): Promise<RunLedger[]> {
    const answered: RunLedger[] = [];
    for (let at = 0; at < runIds.length; at += LEDGER_RUNS_MAX) {
      const some = runIds.slice(at, at + LEDGER_RUNS_MAX);
      answered.push(...(await this.#parts.reader.ledgers({ runIds: some, ...window })));
    }
    return answered;
  }

  #keep(runId: string, kept: Kept): void {
    this.#kept.delete(runId);
    if (this.#kept.size >= RUNS_MAX) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(runId, kept);
  }
}

function isCut({ logs, spans }: RunLedger): boolean {
  return logs.isCut || spans.isCut;
}

function holds(outer: Window, inner: Window): boolean {
  return outer.fromNs <= inner.fromNs && outer.toNs >= inner.toNs;
}

function grained({ fromNs, toNs }: Window): Window {
  const from = fromNs < 0n ? 0n : fromNs - (fromNs % GRAIN_NS);
  return { fromNs: from, toNs: toNs - (toNs % GRAIN_NS) + GRAIN_NS };
}
