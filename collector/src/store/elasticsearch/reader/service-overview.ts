/**
 * RED figures of services, added up by Elasticsearch when somebody asks. Durations are told by the
 * numbers of their buckets, which are those of the embedded store: the figures are the same.
 */
import { middleMs } from "../../embedded/duration-histogram.ts";
import { OPERATIONS_PER_SERVICE_MAX, OTHER_OPERATION } from "../../embedded/service-rollup.ts";
import type { ServiceFigures, ServiceOverview } from "../../store.ts";
import { FIELD } from "../document-fields.ts";
import { hasField, isAnyOf, isNot, isTerm, isWithin } from "./record-clauses.ts";
import type { Aggregation, QueryClause, SearchClient } from "./search-client.ts";
import { isTooManyBuckets, tookTooLong } from "./search-errors.ts";
import { recordsIndex, type StoreStreams } from "./store-streams.ts";
import { type Buckets, type Counted, fieldsOf, type TopHits, timeOf, topHit } from "./top-hit.ts";

const SERVICES_MAX = 1000;
/** Tried one after the other, where services have so many that there would be too many figures. */
const OPERATIONS_TRIED = [OPERATIONS_PER_SERVICE_MAX, 40, 8] as const;
const MINUTE_NS = 60_000_000_000n;
const DOING = "read the services";
/** Server and consumer spans are a service's own work for others, and so is an entry. */
const IS_WORK: QueryClause = {
  bool: {
    filter: [isTerm(FIELD.kind, "span")],
    should: [isTerm(FIELD.entry, true), isAnyOf(FIELD.spanKind, ["server", "consumer"])],
    minimum_should_match: 1,
  },
};
const IS_LOG: QueryClause = {
  bool: { filter: [isTerm(FIELD.kind, "log"), isNot(isTerm(FIELD.report, true))] },
};
/** Three digits tell all bucket numbers, which go up to 344, apart. */
const PERCENTILES: Aggregation = {
  percentiles: {
    ...{ field: FIELD.durationBucket, percents: [50, 99] },
    hdr: { number_of_significant_value_digits: 3 },
  },
};
const FIGURES = { errors: { filter: isTerm(FIELD.error, true) }, durations: PERCENTILES };

interface Figures extends Counted {
  readonly errors: Counted;
  /** By percentile; null where there are none. */
  readonly durations: { readonly values: Readonly<Record<string, number | null>> };
}

interface OperationBucket extends Figures {
  readonly key: string;
}

interface ServiceBucket {
  readonly key: string;
  readonly logs: Counted & { readonly errors: Counted };
  readonly spans: Counted;
  readonly last: TopHits;
  readonly work: Counted & {
    readonly errors: Counted;
    readonly operations: Buckets<OperationBucket> & { readonly sum_other_doc_count: number };
  };
}

interface Asked {
  readonly client: SearchClient;
  readonly streams: StoreStreams;
  readonly window: { readonly fromNs?: bigint; readonly toNs?: bigint };
}

/** Whole minutes: those in which the window begins and ends count in full. */
export async function overviewServices(asked: Asked): Promise<readonly ServiceOverview[]> {
  const buckets = await readServices(asked);
  const others = await readOtherOperations(asked, buckets);
  return buckets
    .map((bucket) => toOverview(bucket, others.get(bucket.key)))
    .toSorted((a, b) => (a.service < b.service ? -1 : 1));
}

async function readServices(asked: Asked): Promise<readonly ServiceBucket[]> {
  for (const size of OPERATIONS_TRIED) {
    try {
      return await readServicesWith(asked, size);
    } catch (thrown) {
      if (size === OPERATIONS_TRIED.at(-1) || !isTooManyBuckets(thrown)) throw thrown;
    }
  }
  return [];
}

async function readServicesWith(asked: Asked, size: number): Promise<readonly ServiceBucket[]> {
  const operations = { terms: { field: FIELD.operation, missing: "", size }, aggs: FIGURES };
  const services = {
    terms: { field: FIELD.service, size: SERVICES_MAX },
    aggs: {
      logs: { filter: IS_LOG, aggs: { errors: FIGURES.errors } },
      spans: { filter: isTerm(FIELD.kind, "span") },
      last: topHit([`-${FIELD.time}`], [FIELD.time]),
      work: { filter: IS_WORK, aggs: { errors: FIGURES.errors, operations } },
    },
  };
  const found = await asked.client.search<never, { readonly services: Buckets<ServiceBucket> }>({
    index: recordsIndex(asked.streams),
    body: { size: 0, query: { bool: { filter: withinMinutes(asked) } }, aggs: { services } },
  });
  if (found.isCut) throw tookTooLong(DOING);
  return found.aggregates?.services.buckets ?? [];
}

/** Of services that have more operations than are told apart, the others together. */
async function readOtherOperations(
  asked: Asked,
  buckets: readonly ServiceBucket[],
): Promise<ReadonlyMap<string, Figures>> {
  const crowded = buckets.filter(({ work }) => work.operations.sum_other_doc_count > 0);
  const answers = await asked.client.searchEach<never, { readonly work: Figures }>(
    crowded.map(({ key, work }) => {
      const known = work.operations.buckets.map((bucket) => bucket.key);
      const isOther = [isTerm(FIELD.service, key), isNot(isAnyOf(FIELD.operation, known))];
      // Spans without a name are an operation of their own, the empty one.
      const isNamed = known.includes("") ? [hasField(FIELD.operation)] : [];
      const filter = [...withinMinutes(asked), ...isOther, ...isNamed];
      return {
        index: asked.streams.traces,
        body: {
          size: 0,
          query: { bool: { filter } },
          aggs: { work: { filter: IS_WORK, aggs: FIGURES } },
        },
      };
    }),
  );
  return new Map(
    answers.flatMap(({ aggregates, isCut }, i) => {
      if (isCut) throw tookTooLong(DOING);
      const service = crowded[i]?.key;
      return service === undefined || aggregates === undefined ? [] : [[service, aggregates.work]];
    }),
  );
}

function withinMinutes({ window: { fromNs, toNs } }: Asked): QueryClause[] {
  return isWithin(FIELD.time, {
    ...(fromNs !== undefined && { fromNs: fromNs - (fromNs % MINUTE_NS) }),
    ...(toNs !== undefined && { toNs: toNs + ((MINUTE_NS - (toNs % MINUTE_NS)) % MINUTE_NS) }),
  });
}

function toOverview(bucket: ServiceBucket, others: Figures | undefined): ServiceOverview {
  const { key: service, logs, spans, last, work } = bucket;
  const operations = work.operations.buckets.map((operation) => {
    return toFigures(service, operation.key, operation);
  });
  if (others !== undefined) operations.push(toFigures(service, OTHER_OPERATION, others));
  const lastFields = fieldsOf(last);
  return {
    service,
    logs: logs.doc_count,
    errorLogs: logs.errors.doc_count,
    spans: spans.doc_count,
    lastSeenNs: lastFields === undefined ? 0n : timeOf(lastFields, FIELD.time),
    operations: operations.toSorted((a, b) => b.count - a.count),
  };
}

function toFigures(service: string, operation: string, figures: Figures): ServiceFigures {
  const { values } = figures.durations;
  return {
    ...{ service, operation, count: figures.doc_count, errors: figures.errors.doc_count },
    p50Ms: bucketMs(values["50.0"]),
    p99Ms: bucketMs(values["99.0"]),
  };
}

function bucketMs(bucket: number | null | undefined): number {
  return typeof bucket === "number" ? middleMs(Math.round(bucket)) : 0;
}
