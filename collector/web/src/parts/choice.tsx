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

interface ServiceChoiceProps {
  readonly value: string;
  readonly services: readonly string[];
  readonly onChange: (service: string) => void;
}

export function ServiceChoice({ value, services, onChange }: ServiceChoiceProps) {
  return (
    <Choice
      label="Service"
      all="Any service"
      value={value}
      options={services.map((service) => ({ value: service, text: service }))}
      onChange={onChange}
    />
  );
}
