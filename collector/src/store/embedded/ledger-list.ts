/** Ledgers of runs, put together from what each day holds of them. */
import { REPORT } from "@clew/instrumentation/names";
import { ClewError } from "../../errors.ts";
import { LEDGER_RUNS_MAX, type RunLedger, type SignalLedger } from "../ledger.ts";
import {
  figureOf,
  type NumberRange,
  type SignalFacts,
  toSignalLedger,
  withoutGaps,
} from "../signal-ledger.ts";
import type { DayReader } from "./day-reader.ts";
import { NUMBERS } from "./ledger-schema.ts";
import { toRange } from "./ledger-table.ts";
import { mergeDescending } from "./merge-descending.ts";
import type { Deadline } from "./record-page.ts";
import { findRun } from "./run-list.ts";

/** Rows of a run's numbers that are looked through for gaps; a run without any has one a day. */
const RANGES_READ_MAX = 200_000;

const SEEN = "SELECT key, service, first_seen, last_seen FROM run_seen WHERE run_id = ?";
/** A statement for each list: a gap is looked up in one while the other is read. */
const rangesIn = (list: number) => `
  SELECT first, last, first_time, last_time FROM run_numbers
  WHERE run = ? AND list = ${list} ORDER BY first`;
const SUMS = `
  SELECT count(*) AS ranges, coalesce(sum(last - first + 1), 0) AS numbers,
    coalesce(max(last), 0) AS highest FROM run_numbers WHERE run = ? AND list = ?`;
const EXPIRED = "SELECT until FROM run_expired WHERE run_id = ? AND signal = ?";
const UNNUMBERED = "SELECT max(until_time) AS until FROM unnumbered";

export interface AskedLedgers {
  readonly runIds: readonly string[];
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
}

export function readLedgers(
  readers: readonly DayReader[],
  asked: AskedLedgers,
  deadline: Deadline,
): RunLedger[] {
  const runIds = new Set(asked.runIds);
  if (runIds.size > LEDGER_RUNS_MAX) {
    const why = `${runIds.size} runs are more than ${LEDGER_RUNS_MAX}`;
    throw new ClewError("PARAMETER_INVALID", `cannot read the ledgers: ${why}`);
  }
  return [...runIds].flatMap((runId) => {
    const days = readers.flatMap((reader) => findRunOfDay(reader, runId) ?? []);
    return days.length === 0
      ? []
      : new RunReading({ runId, days, readers, asked, deadline }).read();
  });
}

/** A run as one day has it. */
interface RunOfDay {
  readonly reader: DayReader;
  readonly key: number;
  readonly service: string;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

function findRunOfDay(reader: DayReader, runId: string): RunOfDay | undefined {
  const row = reader.prepare(SEEN).get(runId);
  if (row === undefined) return undefined;
  const [firstNs, lastNs] = [row.first_seen as bigint, row.last_seen as bigint];
  return { reader, key: Number(row.key), service: String(row.service), firstNs, lastNs };
}

interface Reading {
  readonly runId: string;
  readonly days: readonly RunOfDay[];
  readonly readers: readonly DayReader[];
  readonly asked: AskedLedgers;
  readonly deadline: Deadline;
}

class RunReading {
  readonly #of: Reading;

  constructor(of: Reading) {
    this.#of = of;
  }

  read(): RunLedger {
    const { runId, days, readers } = this.#of;
    const report = findRun(readers, runId) ?? null;
    const lastSeenNs = days.reduce((last, day) => (day.lastNs > last ? day.lastNs : last), 0n);
    const reportedNs = report?.lastSeenNs ?? 0n;
    const endNs = reportedNs > lastSeenNs ? reportedNs : lastSeenNs;
    return {
      runId,
      service: report?.service ?? days.at(-1)?.service ?? "",
      report,
      firstSeenNs: days.reduce(
        (first, day) => (day.firstNs < first ? day.firstNs : first),
        lastSeenNs,
      ),
      lastSeenNs,
      logs: this.#signal(NUMBERS.logs, NUMBERS.deadLogs, {
        reported: figureOf(report, REPORT.logsEmitted),
        dropped: figureOf(report, REPORT.logsDropped),
        endNs,
      }),
      spans: this.#signal(NUMBERS.spans, NUMBERS.deadSpans, {
        reported: figureOf(report, REPORT.spansEmitted),
        dropped: figureOf(report, REPORT.spansDropped),
        endNs,
      }),
    };
  }

  #signal(
    list: number,
    deadList: number,
    told: { reported: number; dropped: number; endNs: bigint },
  ): SignalLedger {
    const stored = this.#sum(list);
    const dead = this.#sum(deadList);
    const seen = Math.max(stored.highest, dead.highest);
    const facts: SignalFacts = {
      stored: this.#ranges(list),
      deadLettered: this.#ranges(deadList),
      ...{ reported: told.reported, dropped: told.dropped, seen, lastSeenNs: told.endNs },
      ...this.#expiry(list),
      window: this.#of.asked,
    };
    const isTooMuch = stored.ranges + dead.ranges > RANGES_READ_MAX || this.#of.deadline.isOver();
    return isTooMuch
      ? withoutGaps(facts, { stored: stored.numbers, dead: dead.numbers })
      : toSignalLedger(facts);
  }

  #sum(list: number): { ranges: number; numbers: number; highest: number } {
    const sum = { ranges: 0, numbers: 0, highest: 0 };
    for (const { reader, key } of this.#of.days) {
      const row = reader.prepare(SUMS).get(key, list);
      sum.ranges += Number(row?.ranges);
      sum.numbers += Number(row?.numbers);
      sum.highest = Math.max(sum.highest, Number(row?.highest));
    }
    return sum;
  }

  /** Of all days, by their first numbers. */
  #ranges(list: number): Generator<NumberRange> {
    const ofDays = this.#of.days.map(({ reader, key }) => rangesOf(reader, key, list));
    return mergeDescending(ofDays, (a, b) => b.first - a.first);
  }

  #expiry(signal: number): { expiredTo: number; expiredBeforeNs: bigint } {
    const { runId, readers } = this.#of;
    const numbers = readers.map((reader) => {
      return Number(reader.prepare(EXPIRED).get(runId, signal)?.until ?? 0);
    });
    const times = readers.map((reader) => reader.prepare(UNNUMBERED).get()?.until);
    const expiredBeforeNs = times.reduce<bigint>((latest, time) => {
      return typeof time === "bigint" && time > latest ? time : latest;
    }, 0n);
    return { expiredTo: Math.max(0, ...numbers), expiredBeforeNs };
  }
}

function* rangesOf(reader: DayReader, key: number, list: number): Generator<NumberRange> {
  for (const row of reader.prepare(rangesIn(list)).iterate(key)) yield toRange(row);
}
