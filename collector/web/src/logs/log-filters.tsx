import { Choice, ServiceChoice } from "../parts/choice.tsx";
import { QueryBox } from "../parts/query-box.tsx";
import { useShortcuts } from "../parts/use-shortcuts.ts";
import { SEVERITIES } from "../record/record-filter.ts";
import { type LogSearch, OWN_RANGE, TIME_RANGES } from "./log-search.ts";

interface LogFiltersProps {
  readonly search: LogSearch;
  readonly services: readonly string[];
  readonly onChange: (changes: Partial<LogSearch>) => void;
  readonly isTailing: boolean;
  readonly onTailing: (on: boolean) => void;
  readonly isPaused: boolean;
  readonly onPaused: (on: boolean) => void;
}

/** What to search for, and the switch between searching and following. */
export function LogFilters(props: LogFiltersProps) {
  const { search, onChange, isTailing } = props;
  return (
    <form className="filters sticky" aria-label="Search logs" onSubmit={(e) => e.preventDefault()}>
      <QueryBox
        label="Words or phrases"
        placeholder='Words, "phrases", user.id:42, or, not'
        value={search.q}
        onChange={(q) => onChange({ q })}
      />
      <ServiceChoice
        value={search.service}
        services={props.services}
        onChange={(service) => onChange({ service })}
      />
      <Choice
        label="Least severity"
        all="Any severity"
        value={search.severity}
        options={SEVERITIES.map(({ name }) => ({ value: name, text: `${name} and above` }))}
        onChange={(severity) => onChange({ severity })}
      />
      {isTailing ? null : <TimeRange search={search} onChange={onChange} />}
      <TailSwitch {...props} />
    </form>
  );
}

function TimeRange({ search, onChange }: Pick<LogFiltersProps, "search" | "onChange">) {
  return (
    <>
      <Choice
        label="Time range"
        all="Any time"
        value={search.range}
        options={[...TIME_RANGES, { value: OWN_RANGE, text: "between…" }]}
        onChange={(range) => onChange({ range, from: "", to: "" })}
      />
      {search.range === OWN_RANGE ? (
        <span className="between">
          <input
            type="datetime-local"
            aria-label="From"
            value={search.from}
            onChange={(event) => onChange({ from: event.target.value })}
          />
          <span aria-hidden="true">–</span>
          <input
            type="datetime-local"
            aria-label="To"
            value={search.to}
            onChange={(event) => onChange({ to: event.target.value })}
          />
        </span>
      ) : null}
    </>
  );
}

function TailSwitch({ isTailing, onTailing, isPaused, onPaused }: LogFiltersProps) {
  useShortcuts({
    t: () => onTailing(!isTailing),
    p: () => isTailing && onPaused(!isPaused),
  });
  return (
    <span className="tail-switch">
      {isTailing ? (
        <button
          type="button"
          aria-pressed={isPaused}
          title="Shortcut: p"
          onClick={() => onPaused(!isPaused)}
        >
          {isPaused ? "Resume" : "Pause"}
        </button>
      ) : null}
      <button
        type="button"
        className={isTailing ? "live" : ""}
        aria-pressed={isTailing}
        title="Shortcut: t"
        onClick={() => onTailing(!isTailing)}
      >
        <i aria-hidden="true" /> Live tail
      </button>
    </span>
  );
}
