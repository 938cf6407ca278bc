import { useDeferredValue, useMemo, useState } from "react";
import type { TransactionView } from "../../../src/query/transaction-view.ts";
import { Failure, Loading, Notice } from "../parts/notice.tsx";
import { useShortcuts } from "../parts/use-shortcuts.ts";
import { matchesFilter, type RecordFilter } from "../record/record-filter.ts";
import { type Jump, RecordList } from "../record/record-list.tsx";
import { TimelineFilters } from "./timeline-filters.tsx";
import { useErrorJump } from "./use-error-jump.ts";
import type { Records } from "./use-records.ts";

interface TimelineProps {
  readonly records: Records;
  readonly counts: TransactionView["counts"];
  readonly services: readonly string[];
  readonly colours: ReadonlyMap<string, number>;
  readonly zeroMs: number;
  readonly jump: Jump | null;
  readonly onJump: (recordId: string) => void;
}

const ALL: RecordFilter = { kind: "", service: "", minSeverity: 0, text: "" };

/** Logs and spans of all services in one order, to read from top to bottom. */
export function Timeline(props: TimelineProps) {
  const { records: loaded, jump } = props;
  const [filter, setFilter] = useState(ALL);
  const [showsClock, setShowsClock] = useState(false);
  const applied = useDeferredValue(filter);
  // A jump from the waterfall must reach its record even where the filter hides it.
  const [seenJump, setSeenJump] = useState(jump);
  if (jump !== seenJump) {
    setSeenJump(jump);
    const target = loaded.records.find(({ id }) => id === jump?.recordId);
    if (target !== undefined && !matchesFilter(target, filter)) setFilter(ALL);
  }
  const shown = useMemo(
    () =>
      applied === ALL ? loaded.records : loaded.records.filter((r) => matchesFilter(r, applied)),
    [loaded.records, applied],
  );
  const errorJump = useErrorJump(props);
  useShortcuts({ e: errorJump.act });
  return (
    <section className="timeline" aria-label="Timeline">
      <TimelineFilters
        filter={filter}
        services={props.services}
        onChange={(changes) => setFilter((last) => ({ ...last, ...changes }))}
        shownCount={shown.length}
        loadedCount={loaded.records.length}
        totalCount={props.counts.logs + props.counts.spans}
        errorCount={props.counts.errors}
        errorJump={errorJump}
        showsClock={showsClock}
        onClock={setShowsClock}
      />
      <RecordList
        label="Records of this transaction, oldest first"
        records={shown}
        colours={props.colours}
        zeroMs={showsClock ? null : props.zeroMs}
        jump={jump}
      />
      <TimelineEnd records={loaded} shownCount={shown.length} onClear={() => setFilter(ALL)} />
    </section>
  );
}

interface TimelineEndProps {
  readonly records: Records;
  readonly shownCount: number;
  readonly onClear: () => void;
}

function TimelineEnd({ records, shownCount, onClear }: TimelineEndProps) {
  if (records.error !== undefined) {
    return <Failure error={records.error} onRetry={records.loadMore} />;
  }
  if (records.isLoading) return <Loading what="records" />;
  if (!records.isWhole) {
    return (
      <button type="button" className="more" onClick={records.loadMore}>
        Load more: these are the first {records.records.length.toLocaleString("en")} records
      </button>
    );
  }
  if (records.records.length === 0) {
    return (
      <Notice title="No records to show">
        <p>Only dead letters carry this ID: the store refused its records.</p>
      </Notice>
    );
  }
  if (shownCount > 0) return null;
  return (
    <Notice title="No record passes these filters">
      <button type="button" onClick={onClear}>
        Clear the filters
      </button>
    </Notice>
  );
}
