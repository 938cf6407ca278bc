import { type CSSProperties, memo, useMemo, useState } from "react";
import type { Hop } from "../../../src/query/hop.ts";
import type { StoredRecord } from "../../../src/record.ts";
import { formatDuration, formatOffset } from "../format/format-duration.ts";
import { timeMs } from "../format/format-time.ts";
import { ServiceName } from "../parts/service-name.tsx";
import { findFailure, spanTitle } from "../record/span-text.ts";
import { type SpanRow, spanRows } from "./span-rows.ts";
import { type TimeScale, timeScale } from "./time-scale.ts";
import { UnansweredHops } from "./unanswered-hops.tsx";

interface WaterfallProps {
  readonly records: readonly StoredRecord[];
  readonly hops: readonly Hop[];
  readonly colours: ReadonlyMap<string, number>;
  /** A span was picked: show its record. */
  readonly onPick: (recordId: string) => void;
}

/** Shown until asked for more: the timeline below should be in view. */
const ROWS_SHOWN = 16;
/** Drawn at most; the timeline has the rest. */
const ROWS_MAX = 2000;
const ERROR_MARKS_MAX = 20;
/** A bar that ends beyond this part of the track has its text before it. */
const BAR_TEXT_AFTER_MAX = 0.8;
/** A wait at least this wide says itself how long it was. */
const WAIT_TEXT_MIN = 0.09;

/** Spans over time, by service, with the waits of messages in queues between them. */
export const Waterfall = memo(function Waterfall(props: WaterfallProps) {
  const { records, hops, colours, onPick } = props;
  const [isWhole, setIsWhole] = useState(false);
  const rows = useMemo(() => spanRows(records), [records]);
  const errors = useMemo(() => errorTimes(records), [records]);
  const scale = useMemo(() => timeScale(rows), [rows]);
  if (rows.length === 0) return null;
  const shown = rows.slice(0, isWhole ? ROWS_MAX : ROWS_SHOWN);
  return (
    <section className="waterfall" aria-label="Spans over time">
      <Axis scale={scale} />
      <ol>
        {shown.map((row) => (
          <WaterfallRow
            key={row.record.id}
            row={row}
            scale={scale}
            colour={colours.get(row.record.service)}
            errorsMs={errors.get(row.record.spanId ?? "")}
            onPick={onPick}
          />
        ))}
      </ol>
      {rows.length > shown.length && !isWhole ? (
        <button type="button" className="more" onClick={() => setIsWhole(true)}>
          Show all {rows.length.toLocaleString("en")} spans
        </button>
      ) : null}
      {isWhole && rows.length > ROWS_MAX ? (
        <p className="faint">The first {ROWS_MAX} spans are drawn; the timeline has all.</p>
      ) : null}
      <UnansweredHops hops={hops} startMs={scale.startMs} colours={colours} />
    </section>
  );
});

function Axis({ scale }: { readonly scale: TimeScale }) {
  return (
    <div className="axis" aria-hidden="true">
      <div className="track">
        {scale.ticks.map(({ at, offsetMs }) => (
          <span key={at} className={at > 0.94 ? "tick last" : "tick"} style={{ left: percent(at) }}>
            {offsetMs === 0 ? "0" : formatOffset(offsetMs)}
          </span>
        ))}
        {scale.breaks.map(({ at, until, ms }) => (
          <span
            key={at}
            className="axis-break"
            title={`Nothing ran for ${formatDuration(ms)}`}
            style={{ left: percent(at), width: percent(until - at) }}
          >
            {formatDuration(ms)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface WaterfallRowProps {
  readonly row: SpanRow;
  readonly scale: TimeScale;
  readonly colour: number | undefined;
  readonly errorsMs: readonly number[] | undefined;
  readonly onPick: (recordId: string) => void;
}

const WaterfallRow = memo(function WaterfallRow(props: WaterfallRowProps) {
  const { row, scale, colour, errorsMs = [], onPick } = props;
  const { record } = row;
  const from = scale.position(row.startMs);
  const until = scale.position(row.endMs);
  return (
    <li className={record.isError ? "error" : ""}>
      <button type="button" aria-label={describe(row, scale)} onClick={() => onPick(record.id)}>
        <span className="span-label" style={{ "--depth": row.depth } as CSSProperties}>
          {row.isHop ? <i className="hop-mark">↳</i> : null}
          <ServiceName service={record.service} colour={colour} />
          <span className="span-name">{spanTitle(record)}</span>
        </span>
        <span className="track">
          <Wait row={row} scale={scale} />
          <span
            className={`bar service-${colour ?? 0}`}
            style={{ left: percent(from), width: percent(until - from) }}
          />
          {errorsMs.slice(0, ERROR_MARKS_MAX).map((ms) => (
            <i key={ms} className="error-mark" style={{ left: percent(scale.position(ms)) }} />
          ))}
          <BarText row={row} scale={scale} />
        </span>
      </button>
    </li>
  );
});

/** Beside its bar: after it, or before it and its wait where there is no room. */
function BarText({ row, scale }: { readonly row: SpanRow; readonly scale: TimeScale }) {
  const { record, span, startMs, endMs, waitedFromMs } = row;
  const until = scale.position(endMs);
  const isBefore = until > BAR_TEXT_AFTER_MAX;
  const wait = waitShare(row, scale);
  return (
    <span
      className={isBefore ? "bar-text before" : "bar-text"}
      style={
        isBefore
          ? { right: percent(1 - scale.position(waitedFromMs ?? startMs)) }
          : { left: percent(until) }
      }
    >
      {waitedFromMs === null || wait >= WAIT_TEXT_MIN
        ? null
        : `queued ${formatDuration(startMs - waitedFromMs)}, `}
      {formatDuration(span.durationMs)}
      {record.isError ? <b> {findFailure(record) ?? "error"}</b> : null}
    </span>
  );
}

/** From the end of sending to the start of work: how long a message lay in its queue. */
function Wait({ row, scale }: { readonly row: SpanRow; readonly scale: TimeScale }) {
  if (row.waitedFromMs === null) return null;
  const width = waitShare(row, scale);
  return (
    <span
      className="wait"
      style={{ left: percent(scale.position(row.waitedFromMs)), width: percent(width) }}
    >
      {width >= WAIT_TEXT_MIN ? `in queue ${formatDuration(row.startMs - row.waitedFromMs)}` : null}
    </span>
  );
}

function waitShare({ waitedFromMs, startMs }: SpanRow, scale: TimeScale): number {
  return waitedFromMs === null ? 0 : scale.position(startMs) - scale.position(waitedFromMs);
}

/** A row in words, with what the bars show. */
function describe({ record, span, startMs, waitedFromMs }: SpanRow, scale: TimeScale): string {
  const parts = [
    `${record.service}: ${spanTitle(record)}`,
    `${span.kind} span at ${formatOffset(startMs - scale.startMs)}`,
    `took ${formatDuration(span.durationMs)}`,
  ];
  if (waitedFromMs !== null)
    parts.push(`waited ${formatDuration(startMs - waitedFromMs)} in queue`);
  if (record.isError) parts.push(`failed: ${findFailure(record) ?? "no reason given"}`);
  return parts.join(", ");
}

/** When errors were logged, by the span they were logged under. */
function errorTimes(records: readonly StoredRecord[]): ReadonlyMap<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { span, isError, spanId, time } of records) {
    if (span !== null || !isError || spanId === null) continue;
    const known = times.get(spanId);
    if (known === undefined) times.set(spanId, [timeMs(time)]);
    else if (known.length < ERROR_MARKS_MAX) known.push(timeMs(time));
  }
  return times;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`;
}
