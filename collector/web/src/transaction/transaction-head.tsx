import type { TransactionDetail } from "../../../src/query/transaction-view.ts";
import { formatAge, formatDuration } from "../format/format-duration.ts";
import { formatDayTime, timeMs } from "../format/format-time.ts";
import { StatusBadge } from "../parts/badge.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { ServiceName } from "../parts/service-name.tsx";
import { VerdictPanel } from "./verdict-panel.tsx";

interface TransactionHeadProps {
  readonly transaction: TransactionDetail;
  readonly colours: ReadonlyMap<string, number>;
}

/** The answer in one look: how it ended, how long it took, who took part, is anything missing. */
export function TransactionHead({ transaction, colours }: TransactionHeadProps) {
  const startedMs = timeMs(transaction.startedAt);
  return (
    <header className="head">
      <div className="head-title">
        <StatusBadge status={transaction.status} />
        <h1>{transaction.operation || "Transaction"}</h1>
        <span className="head-id">
          <code>{transaction.transactionId}</code>
          <CopyButton label="Copy ID" text={transaction.transactionId} />
          <CopyButton label="Copy link" text={() => location.href} />
        </span>
      </div>
      <dl className="head-facts">
        <Fact name="Duration" value={formatDuration(transaction.durationMs)} />
        <Fact
          name="Started"
          value={formatDayTime(startedMs)}
          more={formatAge(Date.now() - startedMs)}
        />
        <Deadline transaction={transaction} />
        <Counts counts={transaction.counts} />
        <div>
          <dt>Services</dt>
          <dd className="services">
            {transaction.services.map((service) => (
              <ServiceName key={service} service={service} colour={colours.get(service)} />
            ))}
          </dd>
        </div>
      </dl>
      <VerdictPanel transaction={transaction} />
    </header>
  );
}

/** By when it had to be over, where a service set that, and whether it was. */
function Deadline({ transaction }: { readonly transaction: TransactionDetail }) {
  const { deadlineAt, isLate, status } = transaction;
  if (deadlineAt === null) return null;
  const deadlineMs = timeMs(deadlineAt);
  const isBad = isLate || status === "timed-out";
  const value = formatDayTime(deadlineMs);
  const more = deadlineOutcome(transaction, deadlineMs - Date.now());
  return <Fact name="Deadline" value={value} more={more} tone={isBad ? "red" : ""} />;
}

function deadlineOutcome({ isLate, status }: TransactionDetail, leftMs: number): string {
  if (status === "timed-out") return "passed without an end";
  if (status === "running") return leftMs > 0 ? `in ${formatDuration(leftMs)}` : "passed";
  if (isLate) return "ended after it";
  return status === "completed" ? "met" : "";
}

function Counts({ counts }: { readonly counts: TransactionDetail["counts"] }) {
  return (
    <>
      <Fact name="Errors" value={String(counts.errors)} tone={counts.errors > 0 ? "red" : ""} />
      <Fact name="Logs" value={counts.logs.toLocaleString("en")} />
      <Fact name="Spans" value={counts.spans.toLocaleString("en")} />
      {counts.deadLetters > 0 ? (
        <Fact name="Dead letters" value={String(counts.deadLetters)} tone="red" />
      ) : null}
    </>
  );
}

interface FactProps {
  readonly name: string;
  readonly value: string;
  readonly more?: string;
  readonly tone?: string;
}

function Fact({ name, value, more, tone }: FactProps) {
  return (
    <div className={tone ? `tone-${tone}` : ""}>
      <dt>{name}</dt>
      <dd>
        {value}
        {more ? <span className="faint"> {more}</span> : null}
      </dd>
    </div>
  );
}
