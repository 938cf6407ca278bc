import type { Condition, Term } from "./query.ts";

/**
 * What an index can say of a condition that it cannot tell exactly: `least` finds nothing but what
 * matches, `most` finds at least all of it.
 */
export interface QueryBounds<T> {
  readonly least: T;
  readonly most: T;
}

/** How an index joins what it finds, and what it can say of one term. */
export interface BoundsAlgebra<T> {
  readonly all: (parts: readonly T[]) => T;
  readonly any: (parts: readonly T[]) => T;
  readonly none: (part: T) => T;
  readonly ofTerm: (term: Term) => QueryBounds<T>;
}

/** The bounds of a whole condition; `not` swaps those of its part. */
export function boundsOf<T>(condition: Condition, algebra: BoundsAlgebra<T>): QueryBounds<T> {
  const { all, any, none, ofTerm } = algebra;
  switch (condition.kind) {
    case "and":
    case "or": {
      const parts = condition.parts.map((part) => boundsOf(part, algebra));
      const joined = condition.kind === "and" ? all : any;
      return {
        least: joined(parts.map(({ least }) => least)),
        most: joined(parts.map(({ most }) => most)),
      };
    }
    case "not": {
      const { least, most } = boundsOf(condition.part, algebra);
      return { least: none(most), most: none(least) };
    }
    default:
      return ofTerm(condition);
  }
}
