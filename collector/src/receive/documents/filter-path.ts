const PATTERNS_MAX = 50;
/** Far more than answers are deep. */
const STEPS_MAX = 20;

/**
 * Elasticsearch's `filter_path`: of an answer only the fields that a pattern names, `*` standing
 * for any part of a name and `**` for any depth; a pattern with `-` before it leaves fields out.
 */
export class FilterPath {
  readonly #included: readonly (readonly string[])[];
  readonly #excluded: readonly (readonly string[])[];

  constructor(text: string | null) {
    const all = (text ?? "").split(",").map((pattern) => pattern.trim());
    const patterns = all.filter((pattern) => pattern !== "").slice(0, PATTERNS_MAX);
    const isExclusion = (pattern: string) => pattern.startsWith("-");
    this.#included = patterns.filter((pattern) => !isExclusion(pattern)).map(toSteps);
    this.#excluded = patterns.filter(isExclusion).map((pattern) => toSteps(pattern.slice(1)));
  }

  /** Whether the answer has the field at this path, as in `items.create.status`. */
  has(path: string): boolean {
    const names = path.split(".");
    if (this.#excluded.some((steps) => covers(steps, names))) return false;
    return this.#included.length === 0 || this.#included.some((steps) => covers(steps, names));
  }
}

/** Several `**` side by side say no more than one, and would take long to try. */
function toSteps(pattern: string): readonly string[] {
  const steps = pattern.split(".");
  const apart = steps.filter((step, index) => step !== "**" || steps[index - 1] !== "**");
  return apart.slice(0, STEPS_MAX);
}

/** A pattern that ends before the path does names all that is below. */
function covers(steps: readonly string[], names: readonly string[]): boolean {
  const [step, ...otherSteps] = steps;
  if (step === undefined) return true;
  const [name, ...otherNames] = names;
  if (step === "**") {
    return covers(otherSteps, names) || (name !== undefined && covers(steps, otherNames));
  }
  return name !== undefined && isMatch(step, name) && covers(otherSteps, otherNames);
}

function isMatch(step: string, name: string): boolean {
  const [first = "", ...parts] = step.split("*");
  if (parts.length === 0) return step === name;
  const last = parts.pop() ?? "";
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
