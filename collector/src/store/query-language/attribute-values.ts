import type { Attributes, AttributeValue } from "../../record.ts";

/** A value that is no list and no map. */
export type Scalar = string | number | boolean;

/**
 * The values at a path: keys of nested maps are joined by dots (`a.b` is `{"a.b": 1}` as well as
 * `{"a": {"b": 1}}`), and of a list every element counts. Null, and empty lists and maps, are none.
 */
export function valuesAt(attributes: Attributes, path: string): Scalar[] {
  const values: Scalar[] = [];
  collect(attributes, path, values);
  return values;
}

/** The text by which a value is compared: numbers and booleans as JSON writes them. */
export function textOfScalar(value: Scalar): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function collect(map: Attributes, path: string, into: Scalar[]): void {
  if (Object.hasOwn(map, path)) addScalars(map[path] ?? null, into);
  for (let dot = path.indexOf("."); dot >= 0; dot = path.indexOf(".", dot + 1)) {
    const key = path.slice(0, dot);
    if (Object.hasOwn(map, key)) enter(map[key] ?? null, path.slice(dot + 1), into);
  }
}

function enter(value: AttributeValue, rest: string, into: Scalar[]): void {
  if (isList(value)) for (const element of value) enter(element, rest, into);
  else if (typeof value === "object" && value !== null) collect(value, rest, into);
}

function addScalars(value: AttributeValue, into: Scalar[]): void {
  if (isList(value)) for (const element of value) addScalars(element, into);
  else if (value !== null && typeof value !== "object") into.push(value);
}

function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
