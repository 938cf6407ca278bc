import { againstBudget, type Ratio } from "../bench-report.ts";
import type { Findings } from "./findings.ts";
import type { LineKind } from "./measure-log-lines.ts";
import { BARE, OURS_ALL, OURS_IDS, type Subject } from "./subjects.ts";

/** Names of the rows. */
export const WHAT = {
  throughput: "throughput",
  pacedCpu: "CPU at 3000 requests/s",
  start: "start to the first line",
  cachedStart: "start to the first line, with NODE_COMPILE_CACHE",
  startCpu: "CPU until half a second after that",
  idleMemory: "memory, idle",
  lineCall: ({ logger, fields }: LineKind) => `call, ${logger} line with ${fields} fields`,
  lineCpu: ({ logger, fields }: LineKind) => `CPU, ${logger} line with ${fields} fields`,
  records: "log records received",
} as const;

/**
 * CPU budgets are 28 and 37 µs where bare takes 25. How fast a machine is changes from one to the
 * next and from hour to hour, so that they are held as multiples of bare in the same run.
 */
const SERVER_BUDGETS = [
  { subject: OURS_IDS, share: 0.9, cpuTimes: 28 / 25 },
  { subject: OURS_ALL, share: 0.55, cpuTimes: 37 / 25 },
] as const;
const START_BUDGETS = [
  { subject: OURS_IDS, addedMs: 30 },
  { subject: OURS_ALL, addedMs: 250 },
] as const;
const LINE_BUDGET_NS = 1500;
const PINO_LINES: readonly LineKind[] = [
  { logger: "pino", fields: 0 },
  { logger: "pino", fields: 2 },
];
const SERVER_NAMES = ["Hono", "node:http"] as const;

/** Adds the rows that set every subject against bare, and says which budgets ours met. */
export function budgetRatios(findings: Findings): readonly Ratio[] {
  return [
    ...SERVER_NAMES.flatMap((server) => serverRatios(findings, server)),
    ...PINO_LINES.flatMap((kind) => lineRatios(findings, kind)),
    ...startRatios(findings),
  ];
}

function serverRatios(findings: Findings, server: string): readonly Ratio[] {
  const what = `${WHAT.throughput}, ${server}`;
  const share = `throughput against bare, ${server}`;
  findings.addAgainstBare({ what, as: share, unit: "of bare", compare: (a, b) => a / b });
  const paced = `${WHAT.pacedCpu}, ${server}`;
  const times = `CPU against bare at 3000 requests/s, ${server}`;
  addDifference(findings, paced, "µs/request");
  findings.addAgainstBare({ what: paced, as: times, unit: "of bare", compare: (a, b) => a / b });
  return SERVER_BUDGETS.filter((budget) => isMeasured(findings, what, budget.subject)).flatMap(
    (budget) => {
      const value = findings.middleOf(share, budget.subject);
      return [
        {
          name: `${share}, ${budget.subject.name}`,
          ours: findings.middleOf(what, budget.subject),
          peer: findings.middleOf(what, BARE),
          value,
          budget: `≥ ${budget.share} of bare`,
          met: value >= budget.share,
        },
        {
          name: `${times}, ${budget.subject.name}`,
          ours: findings.middleOf(paced, budget.subject),
          peer: findings.middleOf(paced, BARE),
          value: findings.middleOf(times, budget.subject),
          budget: `≤ ${budget.cpuTimes} of bare`,
          met: findings.middleOf(times, budget.subject) <= budget.cpuTimes,
        },
      ];
    },
  );
}

function lineRatios(findings: Findings, kind: LineKind): readonly Ratio[] {
  const added = [WHAT.lineCall(kind), WHAT.lineCpu(kind)].map((what) =>
    addDifference(findings, what, "ns"),
  );
  return added
    .filter((what) => isMeasured(findings, what, OURS_ALL))
    .map((what) =>
      againstBudget({
        name: `${what}, ${OURS_ALL.name}`,
        ours: findings.middleOf(what, OURS_ALL),
        budget: LINE_BUDGET_NS,
        unit: "ns",
      }),
    );
}

function startRatios(findings: Findings): readonly Ratio[] {
  const added = addDifference(findings, WHAT.start, "ms");
  addDifference(findings, WHAT.cachedStart, "ms");
  return START_BUDGETS.filter(({ subject }) => isMeasured(findings, added, subject)).map(
    ({ subject, addedMs }) =>
      againstBudget({
        name: `${added}, ${subject.name}`,
        ours: findings.middleOf(added, subject),
        budget: addedMs,
        unit: "ms",
      }),
  );
}

/** Rows of what each subject adds to bare; answers their name. */
function addDifference(findings: Findings, what: string, unit: string): string {
  const as = `added to bare: ${what}`;
  findings.addAgainstBare({ what, as, unit, compare: (value, bare) => value - bare });
  return as;
}

function isMeasured(findings: Findings, what: string, subject: Subject): boolean {
  return findings.valuesOf(what, subject).length > 0;
}
