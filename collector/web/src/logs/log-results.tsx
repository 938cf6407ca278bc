import { useEffect, useMemo, useState } from "react";
import type { StoredRecord } from "../../../src/record.ts";
import type { RecordList as RecordPage } from "../api/fetch-answer.ts";
import { queryString } from "../api/query-string.ts";
import { useAnswer } from "../api/use-answer.ts";
import { Failure, Loading, NoRecordsYet, Notice } from "../parts/notice.tsx";
import { serviceColours } from "../parts/service-colours.ts";
import { useDebounced } from "../parts/use-debounced.ts";
import { RecordList } from "../record/record-list.tsx";
import { type LogSearch, logQuery } from "./log-search.ts";

const TYPING_PAUSE_MS = 300;
const PAGE_RECORDS = 200;

interface LogResultsProps {
  readonly search: LogSearch;
  readonly onClear: () => void;
}

/** Logs that match a search, newest first, page after page. */
export function LogResults({ search, onClear }: LogResultsProps) {
  const key = useDebounced(JSON.stringify(search), TYPING_PAUSE_MS);
  return <Results key={key} search={JSON.parse(key) as LogSearch} onClear={onClear} />;
}

function Results({ search, onClear }: LogResultsProps) {
  // A relative range is fixed once per search, so that its pages fit together.
  const [query] = useState(() => logQuery(search, { nowMs: Date.now(), limit: PAGE_RECORDS }));
  const [cursor, setCursor] = useState<string | null>(null);
  const page = useAnswer<RecordPage>(
    `/logs${query}${cursor === null ? "" : queryString({ cursor }).replace("?", "&")}`,
  );
  const records = usePages(page.data);
  const colours = useMemo(() => serviceColours(records.map((r) => r.service)), [records]);
  const next = page.data?.cursor ?? null;
  return (
    <section aria-label="Log lines">
      <RecordList
        label="Log lines, newest first"
        records={records}
        colours={colours}
        zeroMs={null}
        showsTransaction
      />
      {page.data?.isCut ? (
        <p className="tail-state" role="status">
          The search took long and was cut: narrow the time range to see all that match.
        </p>
      ) : null}
      {page.error === undefined ? null : <Failure error={page.error} onRetry={page.reload} />}
      {page.isLoading ? <Loading what="log lines" /> : null}
      {next === null || page.isLoading ? null : (
        <button type="button" className="more" onClick={() => setCursor(next)}>
          Older log lines
        </button>
      )}
      {records.length === 0 && page.data !== undefined && !page.isLoading && next === null ? (
        <Nothing search={search} onClear={onClear} />
      ) : null}
    </section>
  );
}

function Nothing({ search, onClear }: LogResultsProps) {
  if (Object.values(search).every((value) => value === "")) return <NoRecordsYet />;
  return (
    <Notice title="No log line matches">
      <p>
        All words have to be in one line, unless "or" stands between them. Fewer words, or a longer
        time range, find more.
      </p>
      <button type="button" onClick={onClear}>
        Clear the search
      </button>
    </Notice>
  );
}

/** The pages so far, one after the other. */
function usePages(page: RecordPage | undefined): readonly StoredRecord[] {
  const [records, setRecords] = useState<readonly StoredRecord[]>([]);
  useEffect(() => {
    if (page === undefined) return;
    setRecords((last) => {
      const known = new Set(last.map(({ id }) => id));
      return [...last, ...page.records.filter(({ id }) => !known.has(id))];
    });
  }, [page]);
  return records;
}
