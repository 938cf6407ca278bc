import type { StoredRecord } from "../../../record.ts";
import { matches } from "../../query-language/matches.ts";
import { parseQuery } from "../../query-language/parse-query.ts";
import { toQueryClauses, type WordTerm } from "./query-dsl.ts";
import type { Hit, QueryClause } from "./search-client.ts";

/** What a search text asks of records. */
export interface TextQuery {
  /** Find at least all that match; empty where everything does. */
  readonly clauses: readonly QueryClause[];
  /** Whether one that they found does match: some of it the index cannot tell exactly. */
  readonly holds: (record: StoredRecord, hit: Pick<Hit<unknown>, "matched">) => boolean;
}

/**
 * Undefined where it matches nothing.
 * @throws ClewError STORE_QUERY_INVALID
 */
export function readTextQuery(text: string | undefined): TextQuery | undefined {
  const query = parseQuery(text ?? "");
  const { found, isExact, names } = toQueryClauses(query);
  if (found === "nothing") return undefined;
  const holds: TextQuery["holds"] = (record, { matched }) => {
    if (isExact) return true;
    const hasWords = (term: WordTerm) => {
      const name = names.get(term);
      return name === undefined ? undefined : matched.includes(name);
    };
    return matches(query, record, { found: hasWords });
  };
  return { clauses: found === "everything" ? [] : [found], holds };
}
