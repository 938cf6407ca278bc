import { useRef, useState } from "react";
import type { ServiceList } from "../api/fetch-answer.ts";
import { useAnswer } from "../api/use-answer.ts";
import { findQueryProblem } from "../parts/query-problem.ts";
import { useDocumentTitle } from "../parts/use-document-title.ts";
import { useFilters } from "../routing/navigation.tsx";
import { LogFilters } from "./log-filters.tsx";
import { LogResults } from "./log-results.tsx";
import { LOG_SEARCH_NAMES } from "./log-search.ts";
import { LogTail } from "./log-tail.tsx";

/** Logs of all services: search, or follow them live. */
export function LogsPage() {
  useDocumentTitle("Logs");
  const [search, changeSearch] = useFilters(LOG_SEARCH_NAMES);
  const [isTailing, setIsTailing] = useState(false);
  const [isPaused, setIsPaused] = useState(false);
  // What was found last stays while a text is half typed.
  const readable = useRef(search);
  if (findQueryProblem(search.q) === undefined) readable.current = search;
  const services = useAnswer<ServiceList>("/services");
  const names = useRef<readonly string[]>([]);
  names.current = services.data?.services.map(({ service }) => service) ?? names.current;
  return (
    <>
      <h1 className="unseen">Logs</h1>
      <LogFilters
        search={search}
        services={names.current}
        onChange={changeSearch}
        isTailing={isTailing}
        onTailing={(on) => {
          setIsTailing(on);
          setIsPaused(false);
        }}
        isPaused={isPaused}
        onPaused={setIsPaused}
      />
      {isTailing ? (
        <LogTail search={readable.current} isPaused={isPaused} />
      ) : (
        <LogResults search={readable.current} onClear={() => changeSearch(NO_FILTER)} />
      )}
    </>
  );
}

const NO_FILTER = { q: "", service: "", severity: "", range: "", from: "", to: "" };
