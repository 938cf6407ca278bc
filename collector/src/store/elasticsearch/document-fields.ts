/**
 * The documents that Elasticsearch holds: their names, their fields, and what is in `_source`.
 *
 * A record is one document of a data stream, created once and never changed; its `_id` is the
 * record's. `_source` holds all that a `StoredRecord` shows, exactly. A field is written only where
 * it says something: absent stands for empty, 0, false or null. Fields marked "searched only" are
 * left out of `_source`; those marked "kept only" are in it and cannot be searched.
 *
 * Times are RFC 3339 in UTC with nine digits of fraction, from 1970 to
 * 2262-04-11T23:47:16.854775807Z (the range of `date_nanos`, and of a signed 64-bit integer); later
 * ones are cut to the last, as in the embedded store. Mappings: templates.ts. Written by
 * document-encoder.ts and document-dead-letter.ts.
 */
import { ATTRIBUTE, LOG_FIELD_TRANSACTION_ID, SEMANTIC } from "@clew/instrumentation/names";
import type { Attributes } from "../../record.ts";
import { KAFKA_HEADER } from "../../wire-names.ts";

/** Data streams. Nothing else is written to. */
export const STREAM = {
  logs: "logs-clew-default",
  traces: "traces-clew-default",
  deadLetters: "clew-dead-letters",
} as const;
export type StreamName = (typeof STREAM)[keyof typeof STREAM];

/** Of a document in `logs-clew-default` and `traces-clew-default`. */
export const FIELD = {
  /** date_nanos: time of the log, start of the span. */
  time: "@timestamp",
  /** keyword, as the following four. */
  transactionId: LOG_FIELD_TRANSACTION_ID,
  traceId: "trace_id",
  spanId: "span_id",
  parentSpanId: "parent_span_id",
  service: SEMANTIC.serviceName,
  /** keyword; logs only. */
  severityText: "severity_text",
  /** long; logs only. */
  severityNumber: "severity_number",
  /** text: the body as text, or the span's name. A body that is no string is here as JSON. */
  message: "message",
  /**
   * text, searched only: the tokens of what full-text search reads (`IncomingRecord.text`), as the
   * embedded store's tokenizer makes them, parted by spaces (query-language/words.ts).
   */
  words: "words",
  /** flattened: every leaf as a keyword under its path, values beyond `ignore_above` apart. */
  attributes: "attributes",
  resourceAttributes: "resource.attributes",
  /**
   * flattened, searched only: the attributes (not the resource's) that are numbers, and texts that
   * read as such (`findNumber`), by their paths, in a form whose order as text is that of the
   * numbers (`sortableHex`; both of query-language/number-values.ts).
   */
  numbers: "numbers",
  /** keyword. */
  scope: "scope.name",

  /** keyword, spans only: as `StoredSpan.kind`. */
  spanKind: "span.kind",
  /** keyword, spans only: the name, cut to 256 UTF-16 units. */
  operation: "span.name",
  /** long, spans only: nanoseconds; 0 is written. */
  duration: "span.duration",
  /** keyword, spans only: `ok` or `error`; absent: unset. */
  spanStatus: "span.status",

  /** keyword: `log` or `span`. */
  kind: "clew.kind",
  /** date_nanos. */
  received: KAFKA_HEADER.received,
  /** date_nanos, searched only: a span's end; a log's time. */
  end: "clew.end",
  /** long, searched only: grows with each record that one writer writes; about µs since 1970. */
  order: "clew.order",
  /** boolean, each: true or absent. */
  error: "clew.error",
  entry: "clew.entry",
  event: "clew.event",
  report: "clew.report",
  afterSpan: "clew.after_span",
  /** keyword: the status that the record states, at `end`. */
  status: "clew.status",
  /** date_nanos: the deadline that the record sets, at `time`. */
  deadline: "clew.deadline",
  /** short, spans only, searched only: `durationBucket` (duration-histogram.ts). */
  durationBucket: "clew.duration_bucket",
  /** keyword. */
  runId: ATTRIBUTE.runId,
  /** long. */
  sequence: "clew.sequence",
  /**
   * keyword, searched only: fields of `attributes` and `resource.attributes` that have a value too
   * long for the index (`attributes.http.request.body`), and `attributes.*` or
   * `resource.attributes.*` where some keys are not in the index at all.
   */
  unindexed: "clew.unindexed",
  /** date_nanos, searched only: `numberedNs`; of every record with a run id. */
  numbered: "clew.numbered",
  /** keyword; this and what follows only of run reports: of the report, not of its record. */
  runService: "clew.run.service",
  /** double: log records the run says it has made; of two reports the one with more is later. */
  runMade: "clew.run.made",
  /** boolean: true or absent. */
  runFinal: "clew.run.final",
  /** date_nanos. */
  runFirstSeen: "clew.run.first_seen",
  runLastSeen: "clew.run.last_seen",
} as const;

/** `_source` of a record. */
export interface RecordDocument {
  readonly "@timestamp": string;
  readonly transaction_id?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly parent_span_id?: string;
  readonly severity_text?: string;
  readonly severity_number?: number;
  readonly message?: string;
  readonly attributes?: Attributes;
  readonly service: { readonly name: string };
  readonly resource?: {
    readonly attributes?: Attributes;
    /** Kept only. */
    readonly schema_url?: string;
  };
  readonly scope?: { readonly name?: string /** Kept only. */; readonly schema_url?: string };
  readonly span?: {
    readonly kind: string;
    readonly name?: string;
    readonly duration: number;
    readonly status?: string;
    /** Kept only, as the following; times of events are RFC 3339 up to the year 2554. */
    readonly status_message?: string;
    readonly events?: readonly { name: string; time: string; attributes: Attributes }[];
    readonly links?: readonly { traceId: string; spanId: string; attributes: Attributes }[];
  };
  readonly clew: {
    readonly kind: "log" | "span";
    readonly received: string;
    readonly error?: true;
    readonly entry?: true;
    readonly event?: true;
    readonly report?: true;
    readonly after_span?: true;
    readonly status?: string;
    readonly deadline?: string;
    readonly sequence?: number;
    /** Kept only: `message` is the body as JSON, for it is no string. */
    readonly body?: true;
    /**
     * Kept only: all attributes as JSON text, where some cannot be indexed (a key with NUL, or one
     * too long). `attributes` then holds the others.
     */
    readonly attributes?: string;
    /** Kept only: likewise of the resource. */
    readonly resource?: string;
    /** Kept only: a `LogRecord` or `Span` that cannot be read, in base64. */
    readonly payload?: string;
    readonly run?: {
      readonly id: string;
      readonly service?: string;
      readonly made?: number;
      readonly final?: true;
      readonly first_seen?: string;
      readonly last_seen?: string;
      /** Kept only: the whole report, see run-report-row.ts. */
      readonly report?: string;
    };
  };
}

/** Searched, and left out of `_source`: they follow from what is in it. */
export const SEARCHED_ONLY: readonly string[] = [
  FIELD.words,
  FIELD.numbers,
  FIELD.end,
  FIELD.order,
  FIELD.durationBucket,
  FIELD.numbered,
  FIELD.unindexed,
];

/**
 * Of a document in `clew-dead-letters`: a refusal, an act upon a letter, or a piece of their bytes.
 * Nothing is ever changed: of a letter there are as many documents as were told of it, and the
 * latest by time says its state. Ids: dead-letter-document.ts; told twice, there is one document.
 */
export const LETTER_FIELD = {
  /** date_nanos: `refusedNs` of a refusal, `atNs` of an act, of a piece that of its owner. */
  time: "@timestamp",
  /** keyword: `refusal`, `act` or `piece`. */
  kind: "kind",
  /** keyword: SHA-256 of the letter's id in hex, by which all of one letter are found. */
  letter: "letter",
  /** keyword: the letter's id; longer than 8191 characters it is not searched. */
  letterId: "letter_id",
  /** keyword; refusals, as what follows. */
  transactionId: LOG_FIELD_TRANSACTION_ID,
  service: SEMANTIC.serviceName,
  runId: ATTRIBUTE.runId,
  /** long. */
  sequence: "clew.sequence",
  /** date_nanos. */
  received: KAFKA_HEADER.received,
  /** keyword: why, of a bounded set. */
  reason: "reason",
  /** long. */
  status: "status",
  /** text. */
  detail: "detail",
  /** keyword. */
  topic: "topic",
  /** keyword; acts: what was done, and by whom. */
  act: "act",
  actor: "actor",
  /** keyword, pieces: `_id` of the refusal or act whose bytes these are. */
  owner: "owner",
  /** long, pieces: `LetterPiece.index` of what was told, and the place in that, both from 0. */
  part: "part",
  place: "place",
} as const;

/** `_source` of a dead letter's documents. */
export type LetterDocument = RefusalDocument | ActDocument | PieceDocument;

interface LetterDocumentBase {
  readonly "@timestamp": string;
  readonly letter: string;
  readonly letter_id: string;
}

export interface RefusalDocument extends LetterDocumentBase {
  readonly kind: "refusal";
  readonly transaction_id?: string;
  readonly service?: { readonly name: string };
  readonly clew: {
    readonly received: string;
    readonly sequence?: number;
    readonly run?: { readonly id: string };
  };
  readonly reason: string;
  readonly status?: number;
  readonly detail: string;
  readonly topic: string;
  /** Base64; absent where the bytes are in pieces. */
  readonly original?: string;
  /** How many parts, where the bytes are in documents of their own, beside this one. */
  readonly parts?: number;
}

export interface ActDocument extends LetterDocumentBase {
  readonly kind: "act";
  readonly act: string;
  readonly actor: string;
  /** As the person gave it; kept only. */
  readonly why?: string;
  /** Base64; absent where nothing was sent in its place, or the bytes are in pieces. */
  readonly edited?: string;
  /** 1 where the bytes are in pieces. */
  readonly parts?: number;
}

export interface PieceDocument extends LetterDocumentBase {
  readonly kind: "piece";
  readonly owner: string;
  readonly part: number;
  readonly place: number;
  /** How many places the part has. */
  readonly places: number;
  /** Base64. */
  readonly bytes: string;
}
