import type { TransactionStatus } from "../../../src/record.ts";

type FilterName = "status" | "service" | "minDurationMs" | "q";

interface TransactionFiltersProps {
  readonly filters: Readonly<Record<FilterName, string>>;
  readonly services: readonly string[];
  readonly onChange: (changes: Partial<Record<FilterName, string>>) => void;
  readonly isRefreshing: boolean;
  readonly onRefreshing: (on: boolean) => void;
}

const STATUSES: readonly TransactionStatus[] = [
  "running",
  "completed",
  "failed",
  "compensated",
  "timed-out",
];
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
      <input
        type="search"
        aria-label="Words in any record of the transaction"
        placeholder="Words in any of its records"
        value={filters.q}
        onChange={(event) => onChange({ q: event.target.value })}
      />
      <Choice
        label="Status"
        all="Any status"
        value={filters.status}
        options={STATUSES.map((status) => ({ value: status, text: status }))}
        onChange={(status) => onChange({ status })}
      />
      <Choice
        label="Service"
        all="Any service"
        value={filters.service}
        options={props.services.map((service) => ({ value: service, text: service }))}
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

interface ChoiceProps {
  readonly label: string;
  readonly all: string;
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly text: string }[];
  readonly onChange: (value: string) => void;
}

/** One of some values, or all; a value from the address that is not offered stays visible. */
export function Choice({ label, all, value, options, onChange }: ChoiceProps) {
  const isOffered = value === "" || options.some((option) => option.value === value);
  return (
    <select
      aria-label={label}
      className={value === "" ? "" : "chosen"}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">{all}</option>
      {isOffered ? null : <option value={value}>{value}</option>}
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.text}
        </option>
      ))}
    </select>
  );
}
