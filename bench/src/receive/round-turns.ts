import { formatNumber } from "../bench-report.ts";
import type { BenchProcess } from "../instrumentation/bench-process.ts";
import type { Finding } from "../round-findings.ts";
import { countMessages } from "./bench-topics.ts";
import { measureTurn, type Turn } from "./measure-turn.ts";
import { MEMORY_CASES, WHAT } from "./receive-budgets.ts";
import type { ReceiveFindings } from "./receive-findings.ts";
import {
  OVERLOAD_CONNECTIONS,
  OVERLOAD_FACTOR,
  OVERLOADED,
  type ReceiveCase,
  type ReceivePlan,
} from "./receive-plan.ts";
import { type ReceiveServer, type Subject, TOPIC_OF } from "./receive-servers.ts";

export interface RoundParts {
  readonly plan: ReceivePlan;
  readonly findings: ReceiveFindings;
  readonly say: (line: string) => void;
  readonly load: BenchProcess;
  /** In the order of their turns. */
  readonly servers: readonly ReceiveServer[];
}

/** The turns of a round: of each case one of each server, so that they meet the same neighbours. */
export class RoundTurns {
  readonly #of: RoundParts;
  readonly #totals = new Map<ReceiveServer, Totals>();

  constructor(of: RoundParts) {
    this.#of = of;
    for (const server of of.servers) {
      this.#totals.set(server, { accepted: 0, refused: 0, peakMiB: 0 });
    }
  }

  async run(): Promise<void> {
    const { plan, servers } = this.#of;
    const [first] = plan.cases;
    if (first) await this.#warmUp({ ...first, requests: plan.warmUpRequests });
    for (const one of plan.cases) {
      await this.#warmUp({ ...one, requests: Math.ceil(one.requests * plan.warmUpShare) });
      for (const server of servers) await this.#saturate(server, one);
      if (one.name !== OVERLOADED) continue;
      for (const server of servers) await this.#overload(server, one);
    }
  }

  /** Once all turns are over: what they have in common, and that Kafka has what was accepted. */
  async addTotals(brokers: readonly string[]): Promise<void> {
    for (const [{ subject }, { accepted, refused, peakMiB }] of this.#totals) {
      const messages = await countMessages(brokers, TOPIC_OF[subject]);
      this.#add(subject, [
        { what: WHAT.memoryOfAll, unit: "MiB", value: peakMiB },
        { what: WHAT.refused, unit: "requests", value: refused },
        { what: WHAT.inKafka, unit: "messages", value: messages / accepted },
      ]);
    }
  }

  async #warmUp(one: ReceiveCase): Promise<void> {
    for (const server of this.#of.servers) await this.#turn(server, one);
  }

  async #turn(server: ReceiveServer, { load, requests }: ReceiveCase): Promise<Turn> {
    const order = { ...load, pace: { requests } };
    const turn = await measureTurn({ load: this.#of.load, server }, order);
    const totals = this.#totalsOf(server);
    totals.accepted += turn.done.accepted;
    totals.refused += turn.done.refused;
    totals.peakMiB = Math.max(totals.peakMiB, turn.peakMiB);
    return turn;
  }

  async #saturate(server: ReceiveServer, one: ReceiveCase): Promise<void> {
    const { name, load } = one;
    const turn = await this.#turn(server, one);
    const logs = turn.done.accepted * load.shape.records;
    const cpu = turn.cpuSeconds / (logs / 1e6);
    const rate = logs / turn.done.seconds;
    this.#add(server.subject, [
      { what: WHAT.cpu(name), unit: "s per million logs", value: cpu },
      { what: WHAT.rate(name), unit: "logs/s", value: rate },
      ...answerRows(name, turn),
    ]);
    if (MEMORY_CASES.includes(name)) {
      this.#add(server.subject, [{ what: WHAT.memory(name), unit: "MiB", value: turn.peakMiB }]);
    }
    const figures = `${cpu.toFixed(2)} CPU s per million, ${formatNumber(rate)} logs/s`;
    this.#of.say(`${name}, ${server.subject}: ${figures}`);
  }

  /** By the clock, at a multiple of what this server bore a moment ago. */
  async #overload(server: ReceiveServer, { name, load }: ReceiveCase): Promise<void> {
    const { findings, plan } = this.#of;
    const { subject } = server;
    const { records } = load.shape;
    const saturated = findings.valuesOf(WHAT.rate(name), subject).at(-1) ?? Number.NaN;
    const offered = saturated * OVERLOAD_FACTOR;
    const pace = { requestsPerSecond: offered / records, durationMs: plan.overloadMs };
    const order = { ...load, connections: OVERLOAD_CONNECTIONS, pace };
    const turn = await measureTurn({ load: this.#of.load, server }, order);
    const { done, cpuSeconds } = turn;
    this.#totalsOf(server).accepted += done.accepted;
    const accepted = (done.acceptedInTime * records) / done.seconds;
    const cpu = cpuSeconds / ((done.accepted * records) / 1e6);
    this.#add(subject, [
      { what: WHAT.offered, unit: "logs/s", value: offered },
      { what: WHAT.accepted, unit: "logs/s", value: accepted },
      { what: WHAT.kept, unit: "of saturated", value: accepted / saturated },
      { what: WHAT.overloadRefused, unit: "requests", value: done.refused },
      { what: WHAT.unsent, unit: "requests", value: done.unsent },
      { what: WHAT.broken, unit: "requests", value: done.broken },
      { what: WHAT.cpu(WHAT.overloaded), unit: "s per million logs", value: cpu },
      { what: WHAT.overloadedMemory, unit: "MiB", value: turn.peakMiB },
      ...answerRows(WHAT.overloaded, turn),
    ]);
    this.#of.say(
      `${WHAT.overloaded}, ${subject}: ${done.accepted} requests accepted, ` +
        `${done.refused} refused, ${done.broken} broken`,
    );
  }

  #totalsOf(server: ReceiveServer): Totals {
    return this.#totals.get(server) as Totals;
  }

  #add(subject: Subject, rows: readonly Omit<Finding, "subject">[]): void {
    for (const row of rows) this.#of.findings.add({ ...row, subject });
  }
}

interface Totals {
  accepted: number;
  /** While saturated. */
  refused: number;
  /** While saturated. */
  peakMiB: number;
}

function answerRows(name: string, { done, loopDelayP99Ms }: Turn) {
  return [
    { what: WHAT.p50(name), unit: "ms", value: done.p50Ms },
    { what: WHAT.p99(name), unit: "ms", value: done.p99Ms },
    { what: WHAT.loopDelay(name), unit: "ms", value: loopDelayP99Ms ?? Number.NaN },
  ];
}
