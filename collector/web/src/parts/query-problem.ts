import { ClewError } from "../../../src/errors.ts";
import { parseQuery } from "../../../src/store/query-language/parse-query.ts";

/** Why a search text cannot be read, and where; undefined where it can. */
export function findQueryProblem(text: string): string | undefined {
  try {
    parseQuery(text.trim());
    return undefined;
  } catch (error) {
    if (!(error instanceof ClewError)) throw error;
    return `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
  }
}
