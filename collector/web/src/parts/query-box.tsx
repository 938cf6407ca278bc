import { useId } from "react";
import { findQueryProblem } from "./query-problem.ts";

interface QueryBoxProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A field for a search text; what is wrong is said below it, as the collector would say it. */
export function QueryBox({ label, placeholder, value, onChange }: QueryBoxProps) {
  const problemId = useId();
  const problem = findQueryProblem(value);
  const described = problem === undefined ? {} : { "aria-describedby": problemId };
  return (
    <>
      <input
        type="search"
        aria-label={label}
        placeholder={placeholder}
        aria-invalid={problem !== undefined}
        {...described}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      {problem === undefined ? null : (
        <p className="query-problem" id={problemId} role="status">
          {problem}
        </p>
      )}
    </>
  );
}
