import { useRef } from "react";
import type { TransactionView } from "../../../src/query/transaction-view.ts";
import { formatAge, formatDuration } from "../format/format-duration.ts";
import { formatDayTime, formatNearTime, timeMs } from "../format/format-time.ts";
import { shortId } from "../format/short-id.ts";
import { StatusBadge, VerdictBadge } from "../parts/badge.tsx";
import { ServiceName } from "../parts/service-name.tsx";
import { useShortcuts } from "../parts/use-shortcuts.ts";
import { Link } from "../routing/navigation.tsx";
import { transactionPath } from "../routing/route.ts";

interface TransactionTableProps {
  readonly rows: readonly TransactionView[];
  readonly isStale: boolean;
  /** Somebody points at a row, or went to one by keyboard: rows must stay where they are. */
  readonly onHold: (isHeld: boolean) => void;
}

const SERVICES_SHOWN = 4;

/** One line per transaction; the whole line leads to it. */
export function TransactionTable({ rows, isStale, onHold }: TransactionTableProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  useShortcuts({ j: () => moveFocus(body.current, 1), k: () => moveFocus(body.current, -1) });
  if (rows.length === 0) return null;
  return (
    <table className={`transactions ${isStale ? "stale" : ""}`} aria-busy={isStale}>
      <caption className="unseen">Recent transactions, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Operation</th>
          <th scope="col">Transaction ID</th>
          <th scope="col">Services</th>
          <th scope="col" className="number">
            Duration
          </th>
          <th scope="col" className="number">
            Errors
          </th>
          <th scope="col">Records</th>
          <th scope="col" className="number">
            Started
          </th>
        </tr>
      </thead>
      <tbody
        ref={body}
        onPointerEnter={(event) => onHold(event.pointerType === "mouse")}
        onPointerLeave={() => onHold(false)}
        onFocus={() => onHold(true)}
        onBlur={() => onHold(false)}
      >
        {rows.map((row) => (
          <Row key={row.transactionId} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row }: { readonly row: TransactionView }) {
  const startedMs = timeMs(row.startedAt);
  const { counts } = row;
  return (
    <tr className={row.status === "failed" || row.status === "timed-out" ? "failed" : ""}>
      <td className="cell-status">
        <StatusBadge status={row.status} />
      </td>
      <td className="cell-operation">
        <Link href={transactionPath(row.transactionId)} className="row-link">
          {row.operation || "(no span yet)"}
        </Link>
      </td>
      <td className="cell-id" title={row.transactionId}>
        {shortId(row.transactionId)}
      </td>
      <td className="cell-services">
        <Services services={row.services} />
      </td>
      <td className="cell-duration number">{formatDuration(row.durationMs)}</td>
      <td className={`cell-errors number ${counts.errors > 0 ? "some" : ""}`}>
        {counts.errors > 0 ? counts.errors : <span className="faint">0</span>}
        <span className="narrow-only">{counts.errors === 1 ? " error" : " errors"}</span>
      </td>
      <td className="cell-records">
        <VerdictBadge verdict={row.verdict} reason={row.verdictReason} />
        <span
          className="faint"
          title={`${counts.logs} logs, ${counts.spans} spans, ${counts.deadLetters} dead letters`}
        >
          {counts.logs + counts.spans}
        </span>
      </td>
      <td className="cell-started number">
        <time dateTime={row.startedAt} title={formatDayTime(startedMs)}>
          {formatNearTime(startedMs, Date.now())}
          <span className="faint age">{formatAge(Date.now() - startedMs)}</span>
        </time>
      </td>
    </tr>
  );
}

function Services({ services }: { readonly services: readonly string[] }) {
  const rest = services.slice(SERVICES_SHOWN);
  return (
    <span className="services">
      {services.slice(0, SERVICES_SHOWN).map((service) => (
        <ServiceName key={service} service={service} />
      ))}
      {rest.length > 0 ? <span title={rest.join(", ")}>+{rest.length}</span> : null}
    </span>
  );
}

function moveFocus(body: HTMLElement | null, by: 1 | -1): void {
  const links = [...(body?.querySelectorAll<HTMLElement>(".row-link") ?? [])];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = at === -1 ? 0 : Math.max(0, Math.min(at + by, links.length - 1));
  links[next]?.focus();
}
