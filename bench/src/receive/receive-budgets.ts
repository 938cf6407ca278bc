/** Names of the rows, and which of them have a budget (DESIGN "Budgets" and the issue). */
import type { Ratio } from "../bench-report.ts";
import type { ReceiveFindings } from "./receive-findings.ts";
import { CASES, GZIP_1000, OVERLOADED, PLAIN_1000 } from "./receive-plan.ts";
import { CLEW } from "./receive-servers.ts";

export const WHAT = {
  cpu: (name: string) => `CPU, ${name}`,
  rate: (name: string) => `saturated, ${name}`,
  p50: (name: string) => `answer p50, ${name}`,
  p99: (name: string) => `answer p99, ${name}`,
  memory: (name: string) => `memory, peak, ${name}`,
  memoryOfAll: "memory, peak, all cases one after the other",
  overloadedMemory: "memory, peak, 3× overload",
  loopDelay: (name: string) => `event loop delay p99, ${name}`,
  refused: "refused while saturated",
  overloaded: `3× overload, ${OVERLOADED}`,
  offered: "offered, 3× overload",
  accepted: "accepted, 3× overload",
  kept: "accepted of saturated, 3× overload",
  overloadRefused: "refused, 3× overload",
  unsent: "not sent because all clients wait, 3× overload",
  broken: "broken connections, 3× overload",
  inKafka: "messages in Kafka per accepted request",
} as const;

/** Cases whose memory is told; later ones find the memory of those before them. */
export const MEMORY_CASES: readonly string[] = [PLAIN_1000, GZIP_1000];

/** 1.42 of 2.84 CPU s per million, and 1.9 of 4.00. */
const CPU_SHARES: ReadonlyMap<string, number> = new Map([
  [PLAIN_1000, 0.5],
  [GZIP_1000, 0.475],
]);
const NO_WORSE = 1;
const MEMORY_MIB = 250;
const LOOP_DELAY_MS = 20;
/** Refusing costs something too; a server that collapses is far below. */
const KEPT_MIN = 0.5;

export function receiveRatios(findings: ReceiveFindings): readonly Ratio[] {
  const measured = CASES.filter(({ name }) => findings.valuesOf(WHAT.cpu(name), CLEW).length > 0);
  return [
    ...measured.map(({ name }) =>
      findings.againstPeer({ what: WHAT.cpu(name), budget: CPU_SHARES.get(name) ?? NO_WORSE }),
    ),
    ...measured.map(({ name }) => findings.againstPeer({ what: WHAT.p99(name), budget: NO_WORSE })),
    ...[...measured.map(({ name }) => WHAT.memory(name)), WHAT.memoryOfAll, WHAT.overloadedMemory]
      .filter((what) => findings.valuesOf(what, CLEW).length > 0)
      .map((what) => findings.worstAgainst({ what, budget: MEMORY_MIB })),
    ...measured.map(({ name }) =>
      findings.worstAgainst({ what: WHAT.loopDelay(name), budget: LOOP_DELAY_MS }),
    ),
    keptRatio(findings),
  ];
}

function keptRatio(findings: ReceiveFindings): Ratio {
  const worst = Math.min(...findings.valuesOf(WHAT.kept, CLEW));
  return {
    name: `${WHAT.kept}, the worst round`,
    ours: worst,
    peer: KEPT_MIN,
    value: worst / KEPT_MIN,
    budget: `≥ ${KEPT_MIN}`,
    met: worst >= KEPT_MIN,
  };
}
