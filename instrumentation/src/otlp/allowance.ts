const VALUES_PER_RECORD_MAX = 2000;
const BYTES_PER_RECORD_MAX = 512 * 1024;

/** What is left of one record's allowance; a value that goes over it is cut with a mark. */
export interface Allowance {
  values: number;
  bytes: number;
  /** Longest string in characters. */
  readonly characters: number;
}

export function newAllowance(characters: number): Allowance {
  return { values: VALUES_PER_RECORD_MAX, bytes: BYTES_PER_RECORD_MAX, characters };
}

/** A text's beginning, and a mark that says how much is missing. */
export function cutText(text: string, characters: number): string {
  return `${text.slice(0, characters)}…[cut ${text.length - characters} characters]`;
}

/** The mark in the place of list members or properties that were left out. */
export function cutMark(left: number): string {
  return `…[cut ${left} values]`;
}
