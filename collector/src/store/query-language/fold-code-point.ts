/**
 * What each character is in a word, as the tokenizer `unicode61 remove_diacritics 2` of SQLite's
 * FTS5 has it (sqlite.org/fts5.html §4.3.1). It differs from what JavaScript knows of Unicode in
 * some 2000 characters, and takes every code point it does not know for a letter; so its tables are
 * kept here (word-tables.ts) and held against the real one, code point by code point.
 */
import { WORD_TABLES } from "./word-tables.ts";

export const SEPARATOR = 0;
/** An accent by itself: it belongs to the word it stands in and leaves nothing there. */
export const ACCENT = 1;

const BASIC_PLANE_CODES = 0x10000;
const RADIX = 36;

interface Tables {
  /** For each code point of the basic plane what `foldCodePoint` answers. */
  readonly basicPlane: Uint16Array;
  /** First and last of the separators, one after the other. */
  readonly separators: readonly number[];
  readonly folds: ReadonlyMap<number, number>;
}

let tables: Tables | undefined;

/** `SEPARATOR`, `ACCENT`, or the code point that stands for it in a word. */
export function foldCodePoint(code: number): number {
  tables ??= readTables();
  if (code < BASIC_PLANE_CODES) return tables.basicPlane[code] ?? SEPARATOR;
  if (isInside(tables.separators, code)) return SEPARATOR;
  return tables.folds.get(code) ?? code;
}

function readTables(): Tables {
  const separators = readRanges(WORD_TABLES.separators);
  const folds = readFolds(WORD_TABLES.folds);
  const basicPlane = Uint16Array.from({ length: BASIC_PLANE_CODES }, (_, code) => code);
  for (const [code, folded] of folds) if (code < BASIC_PLANE_CODES) basicPlane[code] = folded;
  const fill = (ranges: readonly number[], value: number) => {
    for (let i = 0; i < ranges.length; i += 2) {
      basicPlane.fill(value, ranges[i], Math.min((ranges[i + 1] ?? 0) + 1, BASIC_PLANE_CODES));
    }
  };
  fill(separators, SEPARATOR);
  fill(readRanges(WORD_TABLES.accents), ACCENT);
  return { basicPlane, separators, folds };
}

/** `gap.length` per range: from the end of the one before to its first, and on to its last. */
function readRanges(text: string): number[] {
  const ranges: number[] = [];
  let end = 0;
  for (const piece of text.trim().split(/\s+/)) {
    const [gap = 0, length = 0] = numbers(piece);
    ranges.push(end + gap, end + gap + length);
    end += gap + length;
  }
  return ranges;
}

/**
 * `gap.distance.count.step.growth` per run of code points: from the first of the run before, to
 * what the first becomes, how many there are, how far apart, and how far apart what they become is.
 */
function readFolds(text: string): Map<number, number> {
  const folds = new Map<number, number>();
  let first = 0;
  for (const piece of text.trim().split(/\s+/)) {
    const [gap = 0, distance = 0, count = 1, step = 1, growth = 1] = numbers(piece);
    first += gap;
    for (let i = 0; i < count; i++) folds.set(first + i * step, first + distance + i * growth);
  }
  return folds;
}

function numbers(piece: string): number[] {
  return piece.split(".").map((digits) => Number.parseInt(digits, RADIX));
}

function isInside(ranges: readonly number[], code: number): boolean {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[2 * middle + 1] ?? 0) < code) low = middle + 1;
    else high = middle;
  }
  return (ranges[2 * low] ?? Number.POSITIVE_INFINITY) <= code;
}
