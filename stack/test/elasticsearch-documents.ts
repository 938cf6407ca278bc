import type { Elasticsearch } from "../backends/elasticsearch.ts";
import { requestElasticsearch } from "./elasticsearch-request.ts";

/** One document of a data stream, as a search over all of its backing indices gives it. */
export interface StoredDocument {
  readonly _id: string;
  readonly _index: string;
  readonly _source: { readonly message: string };
}

const PAGE = 5000;
const KEEP = "1m";

interface Page {
  readonly _scroll_id: string;
  readonly hits: { readonly hits: readonly StoredDocument[] };
}

/** Every document of the stream, one that is there twice twice; none where there is no stream. */
export async function documentsOf(
  elasticsearch: Elasticsearch,
  stream: string,
): Promise<readonly StoredDocument[]> {
  await requestElasticsearch(elasticsearch, { method: "POST", path: `/${stream}*/_refresh` });
  const found: StoredDocument[] = [];
  const path = `/${stream}*/_search?scroll=${KEEP}`;
  const body = { size: PAGE, sort: ["_doc"], _source: ["message"] };
  let page = (await requestElasticsearch(elasticsearch, { method: "POST", path, body })) as Page;
  while (page.hits.hits.length > 0) {
    found.push(...page.hits.hits);
    const next = { scroll: KEEP, scroll_id: page._scroll_id };
    const more = { method: "POST", path: "/_search/scroll", body: next };
    page = (await requestElasticsearch(elasticsearch, more)) as Page;
  }
  return found;
}

/** The next document goes to a new backing index. */
export async function rollOver(elasticsearch: Elasticsearch, stream: string): Promise<void> {
  await requestElasticsearch(elasticsearch, { method: "POST", path: `/${stream}/_rollover` });
}

/** Values that are there more than once, each as often as it is too many. */
export function doubles(values: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return values.filter((value) => seen.size === seen.add(value).size);
}
