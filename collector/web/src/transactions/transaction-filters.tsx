import { TRANSACTION_STATUSES, VERDICTS } from "../../../src/record.ts";
import { Choice, ServiceChoice } from "../parts/choice.tsx";
import { QueryBox } from "../parts/query-box.tsx";

type FilterName = "status" | "verdict" | "service" | "minDurationMs" | "q";

interface TransactionFiltersProps {
  readonly filters: Readonly<Record<FilterName, string>>;
  readonly services: readonly string[];
  readonly onChange: (changes: Partial<Record<FilterName, string>>) => void;
  readonly isRefreshing: boolean;
  readonly onRefreshing: (on: boolean) => void;
}

const DURATIONS = [
  { value: "100", text: "over 100 ms" },
  { value: "500", text: "over 500 ms" },
  { value: "1000", text: "over 1 s" },
  { value: "10000", text: "over 10 s" },
  { value: "60000", text: "over 1 min" },
  { value: "3600000", text: "over 1 h" },
];

/** What narrows the list of transactions. */
export function TransactionFilters(props: TransactionFiltersProps) {
  const { filters, onChange } = props;
  return (
    <form className="filters" aria-label="Filter transactions" onSubmit={(e) => e.preventDefault()}>
      <QueryBox
        label="Words in any record of the transaction"
        placeholder="Words in any of its records"
        value={filters.q}
        onChange={(q) => onChange({ q })}
      />
      <Choice
        label="Status"
        all="Any status"
        value={filters.status}
        options={TRANSACTION_STATUSES.map((status) => ({ value: status, text: status }))}
        onChange={(status) => onChange({ status })}
      />
      <Choice
        label="Records"
        all="Any records"
        value={filters.verdict}
        options={VERDICTS.map((verdict) => ({ value: verdict, text: verdict }))}
        onChange={(verdict) => onChange({ verdict })}
      />
      <ServiceChoice
        value={filters.service}
        services={props.services}
        onChange={(service) => onChange({ service })}
      />
      <Choice
        label="Least duration"
        all="Any duration"
        value={filters.minDurationMs}
        options={DURATIONS}
        onChange={(minDurationMs) => onChange({ minDurationMs })}
      />
      <label className="check">
        <input
          type="checkbox"
          checked={props.isRefreshing}
          onChange={(event) => props.onRefreshing(event.target.checked)}
        />
        Refresh
      </label>
    </form>
  );
}
