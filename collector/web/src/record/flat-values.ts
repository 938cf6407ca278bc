import type { Attributes, AttributeValue } from "../../../src/record.ts";

/** Deeper values are shown as JSON. */
const DEPTH_MAX = 8;

/** Attributes as lines, by name: nested ones under dotted names, lists as JSON, text as it came. */
export function flatValues(values: Attributes): [name: string, text: string][] {
  const lines: [string, string][] = [];
  collect(values, { prefix: "", depth: 0, lines });
  return lines.sort(([a], [b]) => (a < b ? -1 : 1));
}

interface Place {
  readonly prefix: string;
  readonly depth: number;
  readonly lines: [string, string][];
}

function collect(values: Attributes, { prefix, depth, lines }: Place): void {
  for (const [key, value] of Object.entries(values)) {
    const name = prefix + key;
    if (depth < DEPTH_MAX && isNested(value)) {
      collect(value, { prefix: `${name}.`, depth: depth + 1, lines });
    } else lines.push([name, typeof value === "string" ? value : JSON.stringify(value, null, 2)]);
  }
}

function isNested(value: AttributeValue): value is Attributes {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length > 0
  );
}
