import { useRef, useState } from "react";
import type { ServiceList } from "../api/fetch-answer.ts";
import { useAnswer } from "../api/use-answer.ts";
import { Failure, Loading, NoRecordsYet, Notice } from "../parts/notice.tsx";
import { useDocumentTitle } from "../parts/use-document-title.ts";
import { useFilters } from "../routing/navigation.tsx";
import { TransactionFilters } from "./transaction-filters.tsx";
import { TransactionTable } from "./transaction-table.tsx";
import { useTransactions } from "./use-transactions.ts";

const FILTERS = ["status", "verdict", "service", "minDurationMs", "q"] as const;

/** Recent transactions, newest first, refreshed without moving what somebody points at. */
export function TransactionsPage() {
  useDocumentTitle("");
  const [filters, changeFilters] = useFilters(FILTERS);
  const isHeld = useRef(false);
  const list = useTransactions(filters, isHeld);
  const services = useAnswer<ServiceList>("/services");
  const [isRefreshing, setIsRefreshing] = useState(true);
  const isFiltered = FILTERS.some((name) => filters[name] !== "");
  const clear = () =>
    changeFilters({ status: "", verdict: "", service: "", minDurationMs: "", q: "" });
  return (
    <>
      <h1 className="unseen">Recent transactions</h1>
      <TransactionFilters
        filters={filters}
        services={services.data?.services.map(({ service }) => service) ?? []}
        onChange={changeFilters}
        isRefreshing={isRefreshing}
        onRefreshing={(on) => {
          setIsRefreshing(on);
          list.setIsRefreshing(on);
        }}
      />
      {list.error === undefined ? null : <Failure error={list.error} onRetry={list.reload} />}
      {list.shown.waiting > 0 ? (
        <button type="button" className="waiting" onClick={list.showWaiting}>
          {list.shown.waiting} new {list.shown.waiting === 1 ? "transaction" : "transactions"}, show
        </button>
      ) : null}
      <TransactionTable
        rows={list.shown.rows}
        isStale={list.isLoading}
        onHold={(held) => {
          isHeld.current = held;
        }}
      />
      {list.shown.rows.length > 0 || list.error !== undefined ? null : (
        <Empty isLoading={list.isLoading} isFiltered={isFiltered} onClear={clear} />
      )}
      {list.shown.cursor === null ? null : (
        <button
          type="button"
          className="more"
          onClick={list.loadMore}
          disabled={list.isLoadingMore}
        >
          {list.isLoadingMore ? "Loading…" : "Older transactions"}
        </button>
      )}
    </>
  );
}

interface EmptyProps {
  readonly isLoading: boolean;
  readonly isFiltered: boolean;
  readonly onClear: () => void;
}

function Empty({ isLoading, isFiltered, onClear }: EmptyProps) {
  if (isLoading) return <Loading what="transactions" />;
  if (!isFiltered) return <NoRecordsYet />;
  return (
    <Notice title="No transaction passes these filters">
      <button type="button" onClick={onClear}>
        Clear the filters
      </button>
    </Notice>
  );
}
