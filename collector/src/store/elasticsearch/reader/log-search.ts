/** Logs by time, newest first. */
import type { StoredRecord } from "../../../record.ts";
import type { LogFilter, Page } from "../../store.ts";
import { logClauses } from "./record-clauses.ts";
import { searchRecords } from "./record-page.ts";
import type { SearchClient } from "./search-client.ts";
import { readTextQuery } from "./text-query.ts";

export async function searchNewestLogs(
  client: SearchClient,
  index: string,
  filter: LogFilter,
): Promise<Page<StoredRecord>> {
  const { cursor, limit, query } = filter;
  const text = readTextQuery(query);
  if (text === undefined) return { items: [], cursor: null, isCut: false };
  const wanted = { filter: [...logClauses(filter), ...text.clauses], holds: text.holds };
  return searchRecords(client, { index, ...wanted, order: "desc", cursor, limit });
}
