import { memo, useLayoutEffect, useRef } from "react";
import type { StoredRecord } from "../../../src/record.ts";
import { formatDuration, formatExactOffset } from "../format/format-duration.ts";
import { formatDayTime, formatNearTime, formatTime, timeMs } from "../format/format-time.ts";
import { shortId } from "../format/short-id.ts";
import { ServiceName } from "../parts/service-name.tsx";
import { Link } from "../routing/navigation.tsx";
import { transactionPath } from "../routing/route.ts";
import { RecordDetail } from "./record-detail.tsx";
import { severityName, severityTone } from "./record-filter.ts";
import { findFailure, spanTitle } from "./span-text.ts";

interface RecordRowProps {
  readonly record: StoredRecord;
  readonly row: number;
  readonly count: number;
  readonly colour: number | undefined;
  readonly zeroMs: number | null;
  readonly showsTransaction: boolean;
  readonly isOpen: boolean;
  readonly onToggle: (id: string) => void;
  readonly onFocus: (row: number) => void;
  readonly onHeight: (id: string, px: number) => void;
}

/** One line of a record, and below it, when open, all that is known of it. */
export const RecordRow = memo(function RecordRow(props: RecordRowProps) {
  const { record, row, isOpen } = props;
  return (
    <li
      className={`record ${record.kind} ${record.isError ? "error" : ""} ${isOpen ? "open" : ""}`}
      aria-posinset={row + 1}
      aria-setsize={props.count}
    >
      <button
        type="button"
        className="record-line"
        data-row={row}
        aria-expanded={isOpen}
        onClick={() => props.onToggle(record.id)}
        onFocus={() => props.onFocus(row)}
      >
        <RecordTime record={record} zeroMs={props.zeroMs} />
        <ServiceName service={record.service} colour={props.colour} />
        <span className={`severity tone-${severityTone(record)}`}>{severityName(record)}</span>
        <RecordMessage record={record} />
      </button>
      {props.showsTransaction && record.transactionId !== null ? (
        <Link className="record-transaction" href={transactionPath(record.transactionId)}>
          <span className="id-whole">{record.transactionId}</span>
          <span className="id-short">{shortId(record.transactionId)}</span>
        </Link>
      ) : null}
      {isOpen ? <OpenedRecord record={record} onHeight={props.onHeight} /> : null}
    </li>
  );
});

function RecordTime({
  record,
  zeroMs,
}: {
  readonly record: StoredRecord;
  readonly zeroMs: number | null;
}) {
  const ms = timeMs(record.time);
  const title = `${formatDayTime(ms)} (${record.time})`;
  const text = zeroMs === null ? formatNearTime(ms, Date.now()) : formatExactOffset(ms - zeroMs);
  return (
    <time dateTime={record.time} title={`${title}, ${formatTime(ms)}`}>
      {text}
    </time>
  );
}

/** Text as it came, on one line; never HTML. */
function RecordMessage({ record }: { readonly record: StoredRecord }) {
  const { span, message } = record;
  if (span === null) return <span className="message">{message}</span>;
  return (
    <span className="message">
      {spanTitle(record)} <span className="span-facts">{spanFacts(record)}</span>
    </span>
  );
}

function spanFacts(record: StoredRecord): string {
  const { span } = record;
  if (span === null) return "";
  const facts = [span.kind === "unspecified" ? "" : span.kind, formatDuration(span.durationMs)];
  const failure = record.isError ? findFailure(record) : span.statusMessage;
  return [...facts, failure].filter(Boolean).join(" · ");
}

function OpenedRecord(props: {
  readonly record: StoredRecord;
  readonly onHeight: (id: string, px: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const { record, onHeight } = props;
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => onHeight(record.id, element.offsetHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [record.id, onHeight]);
  return (
    <div ref={box} className="record-opened">
      <RecordDetail record={record} />
    </div>
  );
}
