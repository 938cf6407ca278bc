/** The latest report of runs: reports are log records, of which one run makes one every 5 s. */
import type { RunReport } from "../../../record.ts";
import { mergeRunReports, parseRunReport } from "../../embedded/run-report-row.ts";
import { FIELD, type RecordDocument } from "../document-fields.ts";
import { isAnyOf, isTerm } from "./record-clauses.ts";
import type { Aggregation, SearchClient } from "./search-client.ts";
import type { StoreStreams } from "./store-streams.ts";
import { type Buckets, fieldsOf, type TopHits, timeOf, topHit, toSort } from "./top-hit.ts";

interface ReportHits {
  readonly hits: { readonly hits: readonly { readonly _source?: RecordDocument }[] };
}

interface RunBucket {
  readonly key: string;
  readonly latest: ReportHits;
  readonly first: TopHits;
}

/** Of two reports that agree in all that is sorted by, `mergeRunReports` takes always the same. */
const LATEST: Aggregation = {
  top_hits: {
    size: 2,
    _source: ["clew.run"],
    sort: [`-${FIELD.runMade}`, `-${FIELD.runFinal}`, `-${FIELD.runLastSeen}`].map(toSort),
  },
};

/** By run id, of those that reported; undefined where the time limit ended it. */
export async function readRunReports(
  { client, streams }: { readonly client: SearchClient; readonly streams: StoreStreams },
  runIds: readonly string[],
): Promise<ReadonlyMap<string, RunReport> | undefined> {
  if (runIds.length === 0) return new Map();
  const { aggregates, isCut } = await client.search<never, { readonly runs: Buckets<RunBucket> }>({
    index: streams.logs,
    body: {
      size: 0,
      query: { bool: { filter: [isTerm(FIELD.report, true), isAnyOf(FIELD.runId, runIds)] } },
      aggs: {
        runs: {
          terms: { field: FIELD.runId, size: runIds.length },
          aggs: { latest: LATEST, first: topHit([FIELD.runFirstSeen], [FIELD.runFirstSeen]) },
        },
      },
    },
  });
  if (isCut) return undefined;
  const reports = (aggregates?.runs.buckets ?? []).map((bucket) => toReport(bucket));
  return new Map(reports.flatMap((report) => (report ? [[report.runId, report]] : [])));
}

function toReport({ latest, first }: RunBucket): RunReport | undefined {
  const texts = latest.hits.hits.map(({ _source }) => _source?.clew.run?.report);
  const reports = texts.flatMap((text) => (text === undefined ? [] : [parseRunReport(text)]));
  if (reports.length === 0) return undefined;
  const report = reports.reduce(mergeRunReports);
  const fields = fieldsOf(first);
  return fields ? { ...report, firstSeenNs: timeOf(fields, FIELD.runFirstSeen) } : report;
}
