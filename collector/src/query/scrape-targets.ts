import { REPORT } from "@clew/instrumentation/names";
import { NetworkList } from "../network-list.ts";
import type { RunReport } from "../record.ts";
import type { Page, StoreReader } from "../store/store.ts";
import { ask } from "./ask-store.ts";
import { given } from "./parameters.ts";

/** One entry of Prometheus's HTTP service discovery ("Writing HTTP Service Discovery"). */
export interface ScrapeTarget {
  readonly targets: readonly [string];
  readonly labels: {
    readonly service_name: string;
    readonly service_instance_id: string;
    readonly clew_run_id: string;
  };
}

/** Live instances at the last answer, by what became of the address they announced. */
export interface ScrapeCounts {
  readonly listed: number;
  /** Outside of the allowed networks: never handed out, because a report can be forged. */
  readonly outside: number;
  /** No `host:port`; whoever announces no address at all is not counted. */
  readonly unreadable: number;
}

/** A run reports every 5 s; one that left out six reports is gone. */
export const LIVE_SECONDS_MAX = 30;
const NS_PER_SECOND = 1_000_000_000n;
const PAGE_RUNS = 1000;
const PAGES_MAX = 10;
const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^[\]:]+)):(\d{1,5})$/;
const PORT_MAX = 65_535;

/** What Prometheus is to scrape: the live instances that announced where their `/metrics` is. */
export class ScrapeTargets {
  readonly #reader: Pick<StoreReader, "runs">;
  readonly #networks: NetworkList;
  readonly #nowNs: () => bigint;
  #counts: ScrapeCounts = { listed: 0, outside: 0, unreadable: 0 };

  /** @param parts.networks as `isNetwork` takes them */
  constructor(parts: {
    readonly reader: Pick<StoreReader, "runs">;
    readonly networks: readonly string[];
    readonly nowNs: () => bigint;
  }) {
    this.#reader = parts.reader;
    this.#networks = new NetworkList(parts.networks);
    this.#nowNs = parts.nowNs;
  }

  get counts(): ScrapeCounts {
    return this.#counts;
  }

  /** By service and address. Of two runs with one address the later one has it by now. */
  async list(): Promise<ScrapeTarget[]> {
    const byAddress = new Map<string, ScrapeTarget>();
    let outside = 0;
    let unreadable = 0;
    for (const run of await this.#liveRuns()) {
      const address = run.figures[REPORT.metricsAddress];
      if (address === undefined || address === "") continue;
      const host = typeof address === "string" ? findHost(address) : undefined;
      if (typeof address !== "string" || host === undefined) unreadable++;
      else if (!this.#networks.has(host)) outside++;
      else if (!byAddress.has(address)) byAddress.set(address, toTarget(run, address));
    }
    this.#counts = { listed: byAddress.size, outside, unreadable };
    return [...byAddress.values()].toSorted(compareTargets);
  }

  /** Those that were seen last first. */
  async #liveRuns(): Promise<RunReport[]> {
    const seenFromNs = this.#nowNs() - BigInt(LIVE_SECONDS_MAX) * NS_PER_SECOND;
    const runs: RunReport[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const found: Page<RunReport> = await ask(
        this.#reader.runs({
          seenFromNs,
          limit: PAGE_RUNS,
          ...given("cursor", cursor ?? undefined),
        }),
      );
      runs.push(...found.items.filter(({ isFinal }) => !isFinal));
      cursor = found.cursor;
      if (cursor === null) break;
    }
    return runs;
  }
}

function toTarget(run: RunReport, address: string): ScrapeTarget {
  return {
    targets: [address],
    labels: {
      service_name: run.service,
      service_instance_id: run.instanceId,
      clew_run_id: run.runId,
    },
  };
}

/** The host of `host:port` or `[v6]:port`. */
function findHost(address: string): string | undefined {
  const [, inBrackets, plain, port] = ADDRESS.exec(address) ?? [];
  const isPort = Number(port) >= 1 && Number(port) <= PORT_MAX;
  return isPort ? (inBrackets ?? plain) : undefined;
}

function compareTargets(a: ScrapeTarget, b: ScrapeTarget): number {
  const [keyA, keyB] = [a, b].map(({ labels, targets }) => `${labels.service_name}\n${targets[0]}`);
  return (keyA ?? "") < (keyB ?? "") ? -1 : 1;
}
