/** What `_bulk` answers of each document, and what it means for us. */
import { ClewError } from "../../errors.ts";
import { toElasticsearchError } from "./elasticsearch-errors.ts";

/** Asked for as `filter_path`: as little as says everything. */
export const BULK_ANSWER_FIELDS =
  "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by";

/**
 * - `refused`: never to be taken.
 * - `busy`: not taken, for the cluster has too much to do.
 * - `unsure`: perhaps taken.
 */
export type DocumentOutcome =
  | { readonly kind: "created" }
  | { readonly kind: "existing" }
  | { readonly kind: "busy" | "unsure" | "refused"; readonly error: AnsweredError };

/** An error as Elasticsearch puts it. */
export interface AnsweredError {
  readonly status: number;
  /** As `document_parsing_exception`; empty where it gave none. */
  readonly type: string;
  readonly reason: string;
}

const ALL_CREATED = Buffer.from('{"errors":false');
const REASON_CHARACTERS_MAX = 1_000;
const CAUSES_MAX = 8;
/** Of status 400, and yet no document is to blame: the cluster has as many shards as it may. */
const NOT_THE_DOCUMENT = /^(validation_exception|index_closed_exception|illegal_state_exception)$/;
/** Nor is it where the stream is none, or nothing may be written to it. */
const NOT_A_STREAM = /no write index|data stream|pipeline with id|alias/i;

/** Whether every document was created: nothing else need be read then. */
export function areAllCreated(body: Buffer): boolean {
  return body.subarray(0, ALL_CREATED.length).equals(ALL_CREATED);
}

/**
 * The outcome of each document, in their order.
 * @throws ClewError where no document of the stream can be written before a person has done
 * something; or where the answer is not of `count` documents.
 */
export function readOutcomes(body: Buffer, count: number): readonly DocumentOutcome[] {
  const items: unknown = at(parse(body), "items");
  if (!Array.isArray(items) || items.length !== count) {
    throw new ClewError(
      "STORE_UNAVAILABLE",
      "cannot write to Elasticsearch: its answer is not one",
    );
  }
  return items.map((item: unknown) => outcomeOf(answered(at(item, "create"))));
}

/** Status and error of each document, in their order; of those that succeeded the status alone. */
export function readErrors(body: Buffer, act: "create" | "delete"): readonly AnsweredError[] {
  const items = at(parse(body), "items");
  return Array.isArray(items) ? items.map((item: unknown) => answered(at(item, act))) : [];
}

/** The error of an answer that is none of documents, as from a proxy. */
export function readError(status: number, body: Buffer): AnsweredError {
  const said = parse(body);
  const error = answered({ status, error: at(said, "error") });
  if (error.reason !== "" || said !== undefined) return error;
  return { ...error, reason: body.toString("utf8", 0, REASON_CHARACTERS_MAX) };
}

/** As an error that says what is wrong, and where it can be known what to do. */
export function toStallError({ status, type, reason }: AnsweredError, act: string): ClewError {
  const hint = hintFor(status, type);
  const thrown = Object.assign(new Error(reason), {
    meta: { statusCode: status, body: { error: { type, reason: `${reason}${hint}` } } },
  });
  return toElasticsearchError(thrown, act);
}

function hintFor(status: number, type: string): string {
  if (status === 404) return " (clew setup makes what is missing)";
  if (type === "index_closed_exception") return " (open the index, and writing goes on)";
  if (type === "cluster_block_exception") return " (writing goes on once the block is removed)";
  return "";
}

function outcomeOf(error: AnsweredError): DocumentOutcome {
  const { status, type, reason } = error;
  if (status === 200 || status === 201) return { kind: "created" };
  if (status === 409) return { kind: "existing" };
  if (type === "cluster_block_exception" || status === 401 || status === 403 || status === 404) {
    throw toStallError(error, "write to Elasticsearch");
  }
  if (status === 429) return { kind: "busy", error };
  if (status >= 500 || status < 400) return { kind: "unsure", error };
  const isOfStream = type === "illegal_argument_exception" && NOT_A_STREAM.test(reason);
  if (NOT_THE_DOCUMENT.test(type) || isOfStream) {
    throw toStallError(error, "write to Elasticsearch");
  }
  return { kind: "refused", error };
}

function answered(item: unknown): AnsweredError {
  const status = at(item, "status");
  const error = at(item, "error");
  return {
    status: typeof status === "number" ? status : 0,
    type: text(at(error, "type")),
    reason: (typeof error === "string" ? error : reasonOf(error)).slice(0, REASON_CHARACTERS_MAX),
  };
}

/** With its causes: the first often says only that a field could not be read. */
function reasonOf(error: unknown): string {
  const reasons: string[] = [];
  let cause = error;
  for (let depth = 0; depth < CAUSES_MAX && typeof cause === "object" && cause !== null; depth++) {
    const reason = text(at(cause, "reason"));
    if (reason !== "" && !reasons.includes(reason)) reasons.push(reason);
    cause = at(cause, "caused_by");
  }
  return reasons.join(": ");
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
