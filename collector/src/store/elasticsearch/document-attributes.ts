/** Which decoded attributes Elasticsearch can index, and which of them are numbers. */
import type { Attributes, AttributeValue } from "../../record.ts";
import { findNumber, sortableHex } from "../query-language/number-values.ts";

/**
 * Longer values are kept and not indexed (`ignore_above`). With a path of `PATH_BYTES_MAX` and
 * three bytes to a UTF-16 unit, a term stays below Lucene's 32 766 bytes: with one that is longer
 * the whole document would be refused.
 */
export const INDEXED_CHARACTERS_MAX = 8191;
/** Of the dotted path of a value, in UTF-8. */
export const PATH_BYTES_MAX = 8190;
const UTF8_BYTES_MAX = 3;
const NUL = "\0";

export interface IndexedAttributes {
  /** Those that can be indexed; the same object where that is all of them. */
  readonly indexed: Attributes;
  /** By path, in a form that sorts. */
  readonly numbers: ReadonlyMap<string, readonly string[]>;
  /** Paths of values that are too long; "*" where some attributes are left out of `indexed`. */
  readonly unindexed: readonly string[];
}

interface Findings {
  readonly numbers: Map<string, string[]>;
  readonly unindexed: Set<string>;
}

export function indexAttributes(attributes: Attributes): IndexedAttributes {
  const findings: Findings = { numbers: new Map(), unindexed: new Set() };
  const entries = Object.entries(attributes);
  const kept = entries.filter(([key, value]) => canIndexKey(key, value));
  for (const [key, value] of kept) visit(value, key, findings);
  const isWhole = kept.length === entries.length;
  if (!isWhole) findings.unindexed.add("*");
  return {
    indexed: isWhole ? attributes : Object.fromEntries(kept),
    numbers: findings.numbers,
    unindexed: [...findings.unindexed],
  };
}

/** Elasticsearch parts path and value by a NUL, and so takes none in a key. */
function canIndexKey(path: string, value: AttributeValue): boolean {
  if (isPathTooLong(path) || path.includes(NUL)) return false;
  if (isList(value)) return value.every((element) => canIndexKey(path, element));
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, inner]) => canIndexKey(`${path}.${key}`, inner));
}

function isPathTooLong(path: string): boolean {
  if (path.length * UTF8_BYTES_MAX <= PATH_BYTES_MAX) return false;
  return Buffer.byteLength(path) > PATH_BYTES_MAX;
}

function visit(value: AttributeValue, path: string, findings: Findings): void {
  if (isList(value)) {
    for (const element of value) visit(element, path, findings);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`, findings);
  } else {
    if (typeof value === "string" && value.length > INDEXED_CHARACTERS_MAX) {
      findings.unindexed.add(path);
    }
    const number = findNumber(value);
    if (number !== undefined) addNumber(findings.numbers, path, sortableHex(number));
  }
}

function addNumber(numbers: Map<string, string[]>, path: string, hex: string): void {
  const others = numbers.get(path);
  if (others === undefined) numbers.set(path, [hex]);
  else others.push(hex);
}

function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
