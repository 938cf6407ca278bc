import { createHash } from "node:crypto";
import { ATTRIBUTE } from "@clew/instrumentation/names";
import { mintUuidV7 } from "@clew/instrumentation/transaction-id";
import { decodeText } from "../../lines/decode-text.ts";
import { type JsonObject, parseJson } from "../../lines/json-value.ts";
import { type LineRecord, readText } from "../../lines/line-record.ts";
import { readObject } from "../../lines/object-record.ts";
import { SHIPPED } from "../../wire-names.ts";
import type { Reservation } from "../in-flight-bytes.ts";
import type { BulkAnswer, BulkError, BulkResult } from "./bulk-answer.ts";
import { type BulkOperation, BulkReader } from "./bulk-request.ts";
import { RecordEncoder } from "./document-body.ts";

/** The instrumentation scope of these records. */
const SCOPE = "clew.bulk";
/** A larger document is refused with 413, it alone. */
export const DOCUMENT_BYTES_MAX = 8 * 1024 * 1024;
/** What the indexer takes as a record's own id. */
const UID_CHARACTERS_MAX = 128;
const REASON_CHARACTERS_MAX = 300;

export interface BulkRequest {
  readonly body: Buffer;
  /** Of the path, for actions that name none. */
  readonly index: string | undefined;
  readonly transactionKeys: readonly string[];
  readonly observedNs: bigint;
  readonly reservation: Reservation;
  /** Gets an item for each operation. */
  readonly answer: BulkAnswer;
}

export interface BulkRecords {
  /** An OTLP logs request; empty where no operation has a document to keep. */
  readonly value: Buffer;
  /** Some ids are the sender's, so that the same document may have come before. */
  readonly hasGivenIds: boolean;
}

/**
 * Makes log records of the documents of a `_bulk` request; the operations that cannot be kept have
 * their error already.
 * @throws ClewError REQUEST_MALFORMED, REQUEST_TOO_LARGE, BUS_OVERLOADED
 */
export async function readBulk(request: BulkRequest): Promise<BulkRecords> {
  const { body, reservation, answer } = request;
  const encoder = new RecordEncoder({ scope: SCOPE, reservation });
  const reader = new BulkReader(body, request.index);
  const documents = new DocumentReader(request, encoder);
  let hasGivenIds = false;
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    answer.add(documents.read(next));
    hasGivenIds ||= next.id !== undefined;
    if (encoder.isFull) await encoder.flush();
  }
  return { value: encoder.finish(), hasGivenIds };
}

class DocumentReader {
  readonly #request: BulkRequest;
  readonly #encoder: RecordEncoder;
  readonly #requestId = mintUuidV7();
  #sequence = 0;
  #index: string | undefined;
  /** Shared by the records of one index. */
  #extra: Readonly<Record<string, string>> = {};

  constructor(request: BulkRequest, encoder: RecordEncoder) {
    this.#request = request;
    this.#encoder = encoder;
  }

  read(operation: BulkOperation): BulkResult {
    const { action, index, id, start, end } = operation;
    if (action === "update" || action === "delete") {
      const reason = `[${action}] is not supported: records are kept as they came`;
      const error = { status: 400, type: "illegal_argument_exception", reason };
      return { action, index, id, error };
    }
    const bytes = end - start;
    if (bytes > DOCUMENT_BYTES_MAX) {
      const reason = `the document has ${bytes} bytes, more than ${DOCUMENT_BYTES_MAX}`;
      const error = { status: 413, type: "content_too_long_exception", reason };
      return { action, index, id, error };
    }
    const text = decodeText(this.#request.body.subarray(start, end)).trim();
    const found = readDocument(text, this.#request.transactionKeys);
    if ("status" in found) return { action, index, id, error: found };
    const uid = id === undefined ? this.#mint() : uidOf(index, id);
    const { observedNs } = this.#request;
    const extra = this.#extraOf(index);
    this.#encoder.add({ ...found, uid, observedNs, file: undefined, extra }, bytes);
    return { action, index, id: id ?? ownUid(found.attributes) ?? uid };
  }

  #mint(): string {
    return `${this.#requestId}-${this.#sequence++}`;
  }

  #extraOf(index: string): Readonly<Record<string, string>> {
    if (index !== this.#index) {
      this.#index = index;
      this.#extra = { [SHIPPED.elasticsearchIndex]: index };
    }
    return this.#extra;
  }
}

/** A document that is nested beyond all measure is kept as text. */
function readDocument(text: string, transactionKeys: readonly string[]): LineRecord | BulkError {
  const parsed = parseJson(text);
  if (parsed.kind === "object") return readObject(parsed.json, text, transactionKeys);
  if (parsed.kind === "deep") return readText(text, transactionKeys);
  const why = parsed.kind === "invalid" ? parsed.reason : "it is not a JSON object";
  const reason = `failed to parse: ${why}`.slice(0, REASON_CHARACTERS_MAX);
  return { status: 400, type: "document_parsing_exception", reason };
}

/** An `_id` is one document's within its index only. */
function uidOf(index: string, id: string): string {
  const uid = `${index}/${id}`;
  if (uid.length <= UID_CHARACTERS_MAX) return uid;
  return `sha256:${createHash("sha256").update(uid).digest("hex")}`;
}

/** A document that has a record uid keeps it. */
function ownUid(attributes: JsonObject): string | undefined {
  const uid = Object.hasOwn(attributes, ATTRIBUTE.recordUid)
    ? attributes[ATTRIBUTE.recordUid]
    : undefined;
  return typeof uid === "string" ? uid : undefined;
}
