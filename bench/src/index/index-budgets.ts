/** Names of the rows, and which of them have a budget (DESIGN "Budgets" and the issue). */
import type { Ratio } from "../bench-report.ts";
import { againstBudget } from "../bench-report.ts";
import type { RoundFindings } from "../round-findings.ts";
import type { Target, ViewShape } from "./index-plan.ts";
import { CLEW } from "./index-servers.ts";

export const WHAT = {
  cpu: (target: Target) => `CPU, into ${into(target)}`,
  rate: (target: Target) => `indexed, into ${into(target)}`,
  memory: (target: Target) => `memory, peak, into ${into(target)}`,
  missing: (target: Target) => `records missing, into ${into(target)}`,
  doubled: (target: Target) => `records stored twice, into ${into(target)}`,
  elasticsearchCpu: "CPU of Elasticsearch itself",
  viewP50: (view: ViewName) => `transaction view p50, ${viewName(view)}`,
  viewP99: (view: ViewName) => `transaction view p99, ${viewName(view)}`,
  disk: (records: number) => `disk per record, at ${records.toLocaleString("en-US")} records`,
  mergedDisk: (records: number) =>
    `disk per record, merged into one segment, at ${records.toLocaleString("en-US")} records`,
} as const;

export const EMBEDDED = "clew, embedded";
export const DISTRIBUTED = "clew, elasticsearch";

export interface ViewName {
  readonly stored: number;
  readonly shape: ViewShape;
}

const CPU_SHARE = 0.45;
const CPU_PER_MILLION = 3.5;
const MEMORY_MIB = 250;
const VIEW_P99_MS: Readonly<Record<string, { readonly stored: number; readonly ms: number }>> = {
  [EMBEDDED]: { stored: 10_000_000, ms: 20 },
  [DISTRIBUTED]: { stored: 1_000_000, ms: 50 },
};

/** What is told of the indexers, once all rounds are over. */
export function indexRatios(findings: RoundFindings): readonly Ratio[] {
  const cpu = WHAT.cpu("null sink");
  const limits = [
    { what: cpu, budget: CPU_PER_MILLION },
    { what: WHAT.memory("null sink"), budget: MEMORY_MIB },
    { what: WHAT.memory("elasticsearch"), budget: MEMORY_MIB },
  ];
  const none = [
    WHAT.missing("null sink"),
    WHAT.doubled("null sink"),
    WHAT.missing("elasticsearch"),
  ];
  return [
    findings.againstPeer({ what: cpu, budget: CPU_SHARE }),
    findings.againstPeer({ what: WHAT.cpu("elasticsearch"), budget: CPU_SHARE }),
    ...limits.map((limit) => findings.worstAgainst(limit)),
    ...none.map((what) => noneOf(findings, what)),
  ];
}

/** The view's budget holds at one number of stored records; a shorter run has none. */
export function viewRatios(
  findings: RoundFindings,
  views: readonly (ViewName & { readonly subject: string })[],
): readonly Ratio[] {
  return views.flatMap((view) => {
    const limit = VIEW_P99_MS[view.subject];
    const [ours] = findings.valuesOf(WHAT.viewP99(view), view.subject);
    if (limit?.stored !== view.stored || ours === undefined) return [];
    const name = `${WHAT.viewP99(view)}, ${view.subject}`;
    return [againstBudget({ name, ours, budget: limit.ms, unit: "ms" })];
  });
}

/** Of all rounds together. */
function noneOf(findings: RoundFindings, what: string): Ratio {
  const ours = findings.valuesOf(what, CLEW).reduce((sum, value) => sum + value, 0);
  return { name: what, ours, peer: 0, value: ours, budget: "none", met: ours === 0 };
}

function into(target: Target): string {
  return target === "null sink" ? "a null sink" : "Elasticsearch";
}

function viewName({ stored, shape }: ViewName): string {
  const of = shape.records.toLocaleString("en-US");
  return `${of} records in it, at ${stored.toLocaleString("en-US")} records`;
}
