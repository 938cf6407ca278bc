import type { LogFilter } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { ZONE_RECORDS } from "./day-schema.ts";
import type { RecordPlace } from "./page-cursor.ts";
import { RecordCheck } from "./record-check.ts";
import { type Deadline, type Hit, MAX_SEQ, toWindow, type Window } from "./record-page.ts";
import { RowConditions } from "./row-conditions.ts";
import type { SearchPlan } from "./search-plan.ts";
import { DescendingMatches } from "./text-matches.ts";

const ZONES = `
  SELECT zone, max_time FROM zones
  WHERE max_time >= ? AND min_time <= ? AND max_severity >= ?`;
const ROWS_PER_CLOCK_CHECK = 64;

export interface Zone {
  readonly search: DaySearch;
  readonly zone: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly maxNs: bigint;
}

export interface Search {
  readonly filter: LogFilter;
  readonly before: RecordPlace | undefined;
  readonly plan: SearchPlan;
  /** Of one zone no more are wanted. */
  readonly rowsMax: number;
  readonly deadline: Deadline;
}

/** The hits of a zone. */
export interface ZoneHits {
  readonly hits: readonly Hit[];
  /**
   * Where the time limit ended it before the zone was looked through: the latest time that was not,
   * in this zone and those after it; `unfinished` where there is no place to go on from.
   */
  readonly end: "whole" | "unfinished" | { readonly unsearchedNs: bigint };
}

/** A search for logs by time, newest first, in one day. */
export class DaySearch {
  private readonly reader: DayReader;
  private readonly rowsMax: number;
  private readonly deadline: Deadline;
  private readonly window: Window;
  /** At `window.lastNs` itself only rows before this one are left. */
  private readonly endSeq: number;
  /** Undefined: no row of this day passes. */
  private readonly conditions: RowConditions | undefined;
  private readonly matches: DescendingMatches | undefined;
  private readonly check: RecordCheck | undefined;

  constructor(reader: DayReader, { filter, before, plan, rowsMax, deadline }: Search) {
    this.reader = reader;
    this.rowsMax = rowsMax;
    this.deadline = deadline;
    const { firstNs, lastNs } = toWindow(filter);
    const isContinued = before !== undefined && before.timeNs <= lastNs;
    this.window = { firstNs, lastNs: isContinued ? before.timeNs : lastNs };
    this.endSeq = isContinued ? endSeqAt(reader, before) : MAX_SEQ;
    this.conditions = RowConditions.of(reader, filter, plan);
    const { expression, rest } = plan;
    this.matches = expression === undefined ? undefined : new DescendingMatches(reader, expression);
    this.check = rest === undefined ? undefined : new RecordCheck(rest);
  }

  /** The latest time that is searched. */
  get lastNs(): bigint {
    return this.window.lastNs;
  }

  zones(): Zone[] {
    const { conditions } = this;
    if (conditions === undefined) return [];
    const { firstNs, lastNs } = this.window;
    const rows = this.reader.prepare(ZONES).all(firstNs, lastNs, conditions.minSeverity);
    const zones = rows.map(({ zone, max_time }) => {
      const firstSeq = Number(zone) * ZONE_RECORDS;
      const lastSeq = firstSeq + ZONE_RECORDS - 1;
      return { search: this, zone: Number(zone), firstSeq, lastSeq, maxNs: max_time as bigint };
    });
    return zones.filter(({ zone }) => conditions.zones?.has(zone) ?? true);
  }

  /**
   * @param fromNs earlier ones are not wanted.
   * @param nextNs the latest time that the zones after this one may hold.
   */
  hits(
    zone: Zone,
    { fromNs = -1n, nextNs }: { readonly fromNs: bigint | undefined; readonly nextNs: bigint },
  ): ZoneHits {
    const rows =
      this.matches === undefined ? this.logsOf(zone) : this.matchesIn(zone, this.matches);
    const { check, deadline } = this;
    if (check === undefined) return { hits: [...rows].slice(0, this.rowsMax), end: "whole" };
    const hits: Hit[] = [];
    let checked = 0;
    for (const row of rows) {
      if (row.timeNs < fromNs || hits.length === this.rowsMax) break;
      if (checked++ % ROWS_PER_CLOCK_CHECK === 0 && checked > 1 && deadline.isOver()) {
        const unsearchedNs = row.timeNs > nextNs ? row.timeNs : nextNs;
        if (unsearchedNs < this.lastNs) return { hits, end: { unsearchedNs } };
        if (deadline.isLongOver()) return { hits, end: "unfinished" };
      }
      if (check.passes(this.reader, row.seq)) hits.push(row);
    }
    return { hits, end: "whole" };
  }

  close(): void {
    this.matches?.close();
  }

  /** Newest first. */
  private *logsOf({ firstSeq, lastSeq }: Zone): Generator<Hit> {
    const { reader, conditions } = this;
    if (conditions === undefined) return;
    const { firstNs, lastNs } = this.window;
    const limit = this.check === undefined ? this.rowsMax : ZONE_RECORDS;
    const rows = reader
      .prepare(logsOfZone(conditions))
      .all(firstSeq, lastSeq, ...conditions.values, firstNs, lastNs, this.endSeq, limit);
    for (const row of rows) yield { timeNs: row.time as bigint, reader, seq: Number(row.seq) };
  }

  /** Newest first. */
  private matchesIn({ firstSeq, lastSeq }: Zone, matches: DescendingMatches): Hit[] {
    const { firstNs, lastNs } = this.window;
    return matches
      .rowsBetween(firstSeq, lastSeq)
      .filter(
        (row) =>
          this.conditions?.pass(row) === true &&
          row.timeNs >= firstNs &&
          (row.timeNs < lastNs || (row.timeNs === lastNs && row.seq < this.endSeq)),
      )
      .toSorted((a, b) => (a.timeNs === b.timeNs ? b.seq - a.seq : a.timeNs < b.timeNs ? 1 : -1));
  }
}

function logsOfZone({ sql }: RowConditions): string {
  return `
    SELECT seq, time FROM records
    WHERE seq BETWEEN ? AND ? AND ${sql} AND time >= ? AND (time, seq) < (?, ?)
    ORDER BY time DESC, seq DESC LIMIT ?`;
}

/** Of rows at the cursor's very time those of later days, and later rows of its own, were given. */
function endSeqAt({ day }: DayReader, before: RecordPlace): number {
  if (day === before.day) return before.seq;
  return day < before.day ? MAX_SEQ : 0;
}
