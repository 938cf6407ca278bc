import { errors } from "@elastic/elasticsearch";
import { ClewError } from "../../../errors.ts";
import { elasticsearchStatus, toElasticsearchError } from "../elasticsearch-errors.ts";

const OVERLOADED = 429;
const TOO_MANY_BUCKETS = "too_many_buckets_exception";
/** So Elasticsearch says that an answer, or what it takes to make it, would not fit its memory. */
const CIRCUIT_BREAKER = "circuit_breaking_exception";

/** One search of several in a request: what the client throws for a request of its own. */
export class FailedSearch extends Error {
  readonly meta: { readonly statusCode: number; readonly body: { readonly error: unknown } };

  constructor({ status, error }: { status: number; error: unknown }) {
    super(`a search was answered ${status}`);
    this.name = "ResponseError";
    this.meta = { statusCode: status, body: { error } };
  }
}

/** A part of the store cannot be read: figures without it would be wrong. */
export class MissingShards extends ClewError {
  constructor({ total, read }: { total: number; read: number }) {
    const why = `${total - read} of its ${total} shards in Elasticsearch do not answer`;
    super("STORE_UNAVAILABLE", `cannot read the store: ${why}`);
  }
}

/** An answer that must be whole or not be given. */
export function tookTooLong(doing: string): ClewError {
  const why = "Elasticsearch took longer than the time limit";
  return new ClewError("STORE_UNAVAILABLE", `cannot ${doing}: ${why}`);
}

/** The answer would be larger than one may be: fewer records at a time may go. */
export function isAnswerTooLarge(thrown: unknown): boolean {
  if (thrown instanceof errors.RequestAbortedError) return true;
  return elasticsearchStatus(thrown) === OVERLOADED && bodyOf(thrown).includes(CIRCUIT_BREAKER);
}

/** There are more different values than one answer may count apart. */
export function isTooManyBuckets(thrown: unknown): boolean {
  return bodyOf(thrown).includes(TOO_MANY_BUCKETS);
}

/** @param doing as in `cannot <doing>: …`. */
export function toSearchError(thrown: unknown, doing: string): ClewError {
  const isOurs = thrown instanceof ClewError || !isElasticsearchs(thrown);
  if (!isOurs) return toElasticsearchError(thrown, doing);
  if (thrown instanceof ClewError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new ClewError("INTERNAL", `cannot ${doing}: ${why}`, { cause: thrown });
}

/** What Elasticsearch answered in place of a result, as JSON; empty where it was not asked. */
function bodyOf(thrown: unknown): string {
  if (thrown instanceof FailedSearch) return JSON.stringify(thrown.meta.body);
  return thrown instanceof errors.ResponseError ? JSON.stringify(thrown.body) : "";
}

function isElasticsearchs(thrown: unknown): boolean {
  return thrown instanceof errors.ElasticsearchClientError || thrown instanceof FailedSearch;
}
