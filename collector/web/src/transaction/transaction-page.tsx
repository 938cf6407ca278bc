import { useCallback, useMemo, useState } from "react";
import type { TransactionDetail } from "../../../src/query/transaction-view.ts";
import type { ApiError } from "../api/fetch-answer.ts";
import { useAnswer } from "../api/use-answer.ts";
import { timeMs } from "../format/format-time.ts";
import { Failure, Loading, Notice } from "../parts/notice.tsx";
import { serviceColours } from "../parts/service-colours.ts";
import { useDocumentTitle } from "../parts/use-document-title.ts";
import { useInterval } from "../parts/use-interval.ts";
import type { Jump } from "../record/record-list.tsx";
import { Link } from "../routing/navigation.tsx";
import { transactionPath } from "../routing/route.ts";
import { FirstFailure } from "./first-failure.tsx";
import { Steps } from "./steps.tsx";
import { TimeSpent } from "./time-spent.tsx";
import { Timeline } from "./timeline.tsx";
import { TransactionHead } from "./transaction-head.tsx";
import { useRecords } from "./use-records.ts";
import { Waterfall } from "./waterfall.tsx";

/** A transaction may still grow while somebody looks at it. */
const REFRESH_MS = 3000;
/** One that is asked for right after it began is often not stored yet. */
const RETRY_MISSING_MS = 2000;

/** What happened to one transaction: its head, its spans over time, all its records in order. */
export function TransactionPage({ transactionId }: { readonly transactionId: string }) {
  const path = transactionPath(transactionId);
  const { data, error, isLoading, reload } = useAnswer<TransactionDetail>(path);
  const isMissing = error?.status === 404;
  useDocumentTitle(data?.operation ? `${data.operation} ${data.status}` : transactionId);
  useInterval(reload, isMissing ? RETRY_MISSING_MS : REFRESH_MS);
  if (data === undefined) {
    if (isMissing) return <Unknown transactionId={transactionId} />;
    if (error !== undefined) return <WrongOrFailed error={error} onRetry={reload} />;
    return isLoading ? <Loading what="transaction" /> : null;
  }
  return (
    <>
      {error === undefined ? null : <Failure error={error} onRetry={reload} />}
      <Known transaction={data} path={path} />
    </>
  );
}

function Known(props: { readonly transaction: TransactionDetail; readonly path: string }) {
  const { transaction, path } = props;
  const records = useRecords(path);
  const [jump, setJump] = useState<Jump | null>(null);
  const jumpTo = useCallback((recordId: string) => {
    setJump((last) => ({ recordId, round: (last?.round ?? 0) + 1 }));
  }, []);
  const names = transaction.services.join("\n");
  const colours = useMemo(() => serviceColours(names.split("\n")), [names]);
  const { counts } = transaction;
  const news = records.isWhole ? counts.logs + counts.spans - records.records.length : 0;
  return (
    <article>
      <TransactionHead transaction={transaction} colours={colours} />
      <FirstFailure transaction={transaction} colours={colours} />
      {news > 0 ? (
        <button type="button" className="waiting" onClick={records.reload}>
          {news} more {news === 1 ? "record" : "records"} came in, show
        </button>
      ) : null}
      <Steps transaction={transaction} colours={colours} />
      <TimeSpent transaction={transaction} colours={colours} />
      <Waterfall
        records={records.records}
        hops={transaction.hops}
        colours={colours}
        onPick={jumpTo}
      />
      <Timeline
        records={records}
        counts={counts}
        services={transaction.services}
        colours={colours}
        zeroMs={timeMs(transaction.startedAt)}
        jump={jump}
        onJump={jumpTo}
      />
    </article>
  );
}

function Unknown({ transactionId }: { readonly transactionId: string }) {
  const search = `/logs?${new URLSearchParams({ q: `"${transactionId}"` })}`;
  return (
    <Notice title="Nothing is known of this transaction">
      <p>
        <code>{transactionId}</code>
      </p>
      <p>
        No record here carries this ID. If it has only just begun, wait: this page keeps looking. If
        it is older than the days kept, its records are gone. It may also be a trace ID or another
        kind of ID: <Link href={search}>search the logs for it</Link>, or see{" "}
        <Link href="/">recent transactions</Link>.
      </p>
    </Notice>
  );
}

function WrongOrFailed({
  error,
  onRetry,
}: {
  readonly error: ApiError;
  readonly onRetry: () => void;
}) {
  if (error.status !== 400) return <Failure error={error} onRetry={onRetry} />;
  return (
    <Notice title="This is no transaction ID" tone="error">
      <p>{error.message}</p>
      <p>Paste another one, or any text that contains one, into the box above.</p>
    </Notice>
  );
}
