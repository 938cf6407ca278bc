import { Choice, ServiceChoice } from "../parts/choice.tsx";
import { type RecordFilter, SEVERITIES } from "../record/record-filter.ts";
import type { ErrorJump } from "./use-error-jump.ts";

interface TimelineFiltersProps {
  readonly filter: RecordFilter;
  readonly services: readonly string[];
  readonly onChange: (changes: Partial<RecordFilter>) => void;
  readonly shownCount: number;
  readonly loadedCount: number;
  readonly totalCount: number;
  readonly errorCount: number;
  readonly errorJump: ErrorJump;
  readonly showsClock: boolean;
  readonly onClock: (showsClock: boolean) => void;
}

/** What narrows the timeline; stays in view while it scrolls. */
export function TimelineFilters(props: TimelineFiltersProps) {
  const { filter, onChange } = props;
  return (
    <form
      className="filters sticky"
      aria-label="Filter records"
      onSubmit={(e) => e.preventDefault()}
    >
      <input
        type="search"
        aria-label="Words in the record or its attributes"
        placeholder="Words in records or attributes"
        value={filter.text}
        onChange={(event) => onChange({ text: event.target.value })}
      />
      <Choice
        label="Kind"
        all="Logs and spans"
        value={filter.kind}
        options={[
          { value: "log", text: "logs only" },
          { value: "span", text: "spans only" },
        ]}
        onChange={(kind) => onChange({ kind: kind === "log" || kind === "span" ? kind : "" })}
      />
      <ServiceChoice
        value={filter.service}
        services={props.services}
        onChange={(service) => onChange({ service })}
      />
      <Choice
        label="Least severity"
        all="Any severity"
        value={filter.minSeverity === 0 ? "" : String(filter.minSeverity)}
        options={SEVERITIES.map(({ name, number }) => ({
          value: String(number),
          text: `${name} and above`,
        }))}
        onChange={(number) => onChange({ minSeverity: Number(number) })}
      />
      <label className="check">
        <input
          type="checkbox"
          checked={props.showsClock}
          onChange={(event) => props.onClock(event.target.checked)}
        />
        Clock
      </label>
      <ErrorButton errorCount={props.errorCount} jump={props.errorJump} />
      <Shown {...props} />
    </form>
  );
}

function ErrorButton({
  errorCount,
  jump,
}: {
  readonly errorCount: number;
  readonly jump: ErrorJump;
}) {
  if (errorCount === 0) return null;
  const text = jump.hasJumped ? "Next error" : "First error";
  return (
    <button type="button" className="error-button" title="Shortcut: e" onClick={jump.act}>
      {jump.isSearching ? "Looking…" : `${text} (${errorCount})`}
    </button>
  );
}

function Shown({ shownCount, loadedCount, totalCount }: TimelineFiltersProps) {
  const total = Math.max(totalCount, loadedCount);
  const text = (count: number) => count.toLocaleString("en");
  return (
    <span className="shown-count" role="status">
      {shownCount === total
        ? `${text(total)} ${total === 1 ? "record" : "records"}`
        : `${text(shownCount)} of ${text(total)}`}
      <span className="keys" aria-hidden="true">
        <span className="key">j</span>
        <span className="key">k</span>
        <span className="key">e</span>
      </span>
    </span>
  );
}
