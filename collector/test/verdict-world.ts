/**
 * A small world of services as our instrumentation would tell of it: runs with clocks of their own
 * that number their records in the order in which these leave memory, and report every five
 * seconds and at their end. Time is simulated, in milliseconds since the world began.
 */
import { ATTRIBUTE, EVENT, REPORT } from "@clew/instrumentation/names";
import type { RunReport } from "../src/record.ts";
import type { FixtureAttributes } from "./record-fixtures.ts";
import { SeededRandom } from "./seeded-random.ts";

export const WORLD_BEGAN_NS = 1_772_366_400_000_000_000n;
const REPORT_EVERY_MS = 5000;
const FIRST_REPORT_MS = 500;
/** Sampling holds a span so long (`HELD_AGE_MAX_MS` of the instrumentation). */
export const HELD_MS = 10_000;
/** From a service to the store, at most. */
const TRANSIT_MS = 1500;

export type Random = () => number;

const FRACTIONS = 2 ** 30;

/** From 0 to 1; the same numbers for the same seed. */
export function seeded(seed: number): Random {
  const random = new SeededRandom(seed);
  return () => random.below(FRACTIONS) / FRACTIONS;
}

export type Ending = "alive" | "ended" | "killed";

export interface Run {
  readonly runId: string;
  readonly service: string;
  /** Of its clock against the world's. */
  readonly skewMs: number;
  readonly ending: Ending;
}

/** A record before its run has numbered it. */
export interface Emission {
  readonly kind: "log" | "span";
  readonly run: Run;
  readonly transactionId: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly spanKind: number;
  readonly startMs: number;
  readonly endMs: number;
  /** When it got its number. */
  readonly leftMs: number;
  readonly attributes: FixtureAttributes;
  readonly links: readonly { traceId: string; spanId: string; attributes: FixtureAttributes }[];
  readonly isAfterSpan: boolean;
  readonly isError: boolean;
}

export interface MadeRecord extends Emission {
  readonly sequence: number;
  /** By its run's clock. */
  readonly timeNs: bigint;
  readonly durationNs: bigint;
  /** By the collector's, which is the world's. */
  readonly receivedNs: bigint;
  readonly report: RunReport | null;
}

export class World {
  readonly random: Random;
  readonly runs: Run[] = [];
  readonly #emissions = new Map<Run, Emission[]>();
  #ids = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  addRun(run: Omit<Run, "runId">): Run {
    const made = { runId: this.id(32), ...run };
    this.runs.push(made);
    this.#emissions.set(made, []);
    return made;
  }

  /** When the last record was made. */
  get lastMs(): number {
    let last = 0;
    for (const made of this.#emissions.values()) {
      for (const { leftMs } of made) last = Math.max(last, leftMs);
    }
    return last;
  }

  /** Hex digits that no other id of this world has. */
  id(digits: number): string {
    const number = (++this.#ids).toString(16).padStart(8, "0");
    return number.padEnd(digits, "a");
  }

  whole(max: number): number {
    return Math.floor(this.random() * max);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.whole(items.length)];
    if (item === undefined) throw new Error("cannot pick: there is nothing");
    return item;
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  emit(emission: Emission): void {
    this.#emissions.get(emission.run)?.push(emission);
  }

  /** What every run made until then; those that end do so at `endMs`. */
  recordsUntil(nowMs: number, endMs: number): MadeRecord[] {
    return this.runs.flatMap((run) => {
      const made = this.#emissions.get(run) ?? [];
      const untilMs = run.ending === "alive" ? nowMs : endMs;
      return numberRecords([...made, ...this.#reports(run, untilMs)], this.random);
    });
  }

  #reports(run: Run, endMs: number): Emission[] {
    const times: number[] = [];
    for (let ms = FIRST_REPORT_MS; ms <= endMs; ms += REPORT_EVERY_MS) times.push(ms);
    const reports = times.map((ms) => reportAt(run, ms, false));
    if (run.ending === "ended") reports.push(reportAt(run, endMs, true));
    return reports;
  }
}

function reportAt(run: Run, ms: number, isFinal: boolean): Emission {
  return {
    ...{ kind: "log", run, transactionId: "", traceId: "", spanId: "", parentSpanId: "" },
    ...{ name: "Run report", spanKind: 0, startMs: ms, endMs: ms, leftMs: ms, links: [] },
    attributes: { [ATTRIBUTE.eventName]: EVENT.instanceReport, [REPORT.final]: isFinal },
    ...{ isAfterSpan: false, isError: false },
  };
}

/** In the order in which they left memory, logs and spans apart. */
function numberRecords(emissions: readonly Emission[], random: Random): MadeRecord[] {
  const sorted = emissions.toSorted((a, b) => a.leftMs - b.leftMs);
  const made = { log: 0, span: 0 };
  return sorted.map((emission) => {
    const sequence = ++made[emission.kind];
    const { run, startMs, endMs, leftMs } = emission;
    const receivedNs = nsOf(leftMs + random() * TRANSIT_MS);
    const record = {
      ...emission,
      sequence,
      timeNs: nsOf(startMs + run.skewMs),
      durationNs: nsOf(endMs) - nsOf(startMs),
      receivedNs,
    };
    const isReport = emission.attributes[ATTRIBUTE.eventName] === EVENT.instanceReport;
    return { ...record, report: isReport ? reportOf(record, made) : null };
  });
}

type Reporting = Pick<MadeRecord, "run" | "timeNs" | "receivedNs" | "attributes">;

function reportOf(of: Reporting, made: { log: number; span: number }): RunReport {
  const { run, timeNs, receivedNs } = of;
  const seenNs = timeNs < receivedNs ? timeNs : receivedNs;
  return {
    runId: run.runId,
    service: run.service,
    ...{ instanceId: run.runId, host: "", pid: null, firstSeenNs: seenNs, lastSeenNs: seenNs },
    isFinal: of.attributes[REPORT.final] === true,
    figures: {
      [REPORT.logsEmitted]: made.log,
      [REPORT.spansEmitted]: made.span,
      [REPORT.final]: of.attributes[REPORT.final] === true,
    },
  };
}

export function nsOf(ms: number): bigint {
  return WORLD_BEGAN_NS + BigInt(Math.round(ms * 1000)) * 1000n;
}
