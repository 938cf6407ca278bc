import type { DeliveredMessage } from "../bus/bus.ts";
import { ClewError } from "../errors.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import type { IncomingRecord } from "../record.ts";
import { findUidSequence } from "./find-sequence.ts";
import { LogDecoder } from "./log-decoder.ts";
import { type RecordSource, ResourceDecoder } from "./resource-decoder.ts";
import { SpanDecoder } from "./span-decoder.ts";
import type { TransactionKeys } from "./transaction-keys.ts";

/** Requests, `Resource{Logs,Spans}` and `Scope{Logs,Spans}` agree on these. */
const TAG_GROUPS = 0x0a;
const TAG_OWNER = 0x0a;
const TAG_MEMBERS = 0x12;
const TAG_SCHEMA_URL = 0x1a;

const NO_BYTES = new Uint8Array(0);

/**
 * Decodes OTLP export requests (OTLP 1.11, plain protobuf) into records whose byte fields are views
 * into the message. Fields may come in any order: the OpenTelemetry Collector writes them in
 * reverse.
 */
export class MessageDecoder {
  readonly #resources: ResourceDecoder;
  readonly #logs: LogDecoder;
  readonly #spans: SpanDecoder;

  constructor(keys: TransactionKeys) {
    this.#resources = new ResourceDecoder(keys);
    this.#logs = new LogDecoder(keys);
    this.#spans = new SpanDecoder(keys);
  }

  /**
   * All records of the message, in lists of at most `recordsMax`.
   * @throws ClewError REQUEST_MALFORMED, perhaps after some lists were given.
   */
  *decode(message: DeliveredMessage, recordsMax: number): Generator<IncomingRecord[]> {
    const { topic, headers, value } = message;
    if (topic !== "logs" && topic !== "traces") {
      throw new ClewError("REQUEST_MALFORMED", `cannot index ${topic}: this version has no place`);
    }
    const decoder = topic === "logs" ? this.#logs : this.#spans;
    const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    const reader = new ProtobufReader(buffer);
    let records: IncomingRecord[] = [];
    let index = 0;
    for (const source of this.#sources(reader, headers)) {
      while (reader.position < source.end) {
        reader.end = source.end;
        const tag = reader.tag();
        if (tag !== TAG_MEMBERS) reader.skip(tag & 7);
        else records.push(named(decoder.decode(reader, source, index), headers, index++));
        if (records.length < recordsMax) continue;
        yield records;
        records = [];
      }
    }
    if (records.length > 0) yield records;
  }

  /** Each scope's part of the message, with all that its records share; the cursor at its start. */
  *#sources(
    reader: ProtobufReader,
    headers: DeliveredMessage["headers"],
  ): Generator<RecordSource & { readonly end: number }> {
    const { buffer } = reader;
    const idPrefix = `${headers.requestId}-${headers.part}-`;
    for (const group of members(reader, { tag: TAG_GROUPS, start: 0, end: buffer.length })) {
      const owner = findOwner(reader, group);
      const resource = this.#resources.decode(owner.bytes);
      for (const part of members(reader, { tag: TAG_MEMBERS, ...group })) {
        const scope = findOwner(reader, part);
        reader.position = part.start;
        yield {
          end: part.end,
          idPrefix,
          receivedNs: headers.receivedNs,
          mayRepeat: headers.repeat,
          ...resource,
          resource: owner.bytes,
          resourceSchemaUrl: owner.schemaUrl,
          scope: scope.bytes,
          scopeSchemaUrl: scope.schemaUrl,
        };
      }
    }
  }
}

/**
 * A record with the id that its message fixed for it. There is one record then; were there more,
 * the others must not be taken for the first.
 */
function named(
  record: IncomingRecord,
  { recordId: id }: DeliveredMessage["headers"],
  index: number,
): IncomingRecord {
  if (id === undefined) return record;
  if (index > 0) return { ...record, id: `${id}-${index}` };
  const sequence = record.sequence || findUidSequence(id, record.runId);
  return { ...record, id, sequence };
}

interface Part {
  readonly start: number;
  readonly end: number;
}

/** The sub-messages under one tag; the cursor may be moved between two. */
function* members(
  reader: ProtobufReader,
  { tag: wanted, start, end }: Part & { tag: number },
): Generator<Part> {
  let position = start;
  while (position < end) {
    reader.position = position;
    reader.end = end;
    const tag = reader.tag();
    if (tag === wanted) {
      position = reader.enter();
      yield { start: reader.position, end: position };
    } else {
      reader.skip(tag & 7);
      position = reader.position;
    }
  }
}

/** The resource or scope of a group, and its schema URL, which may stand behind the records. */
function findOwner(
  reader: ProtobufReader,
  { start, end }: Part,
): { bytes: Uint8Array; schemaUrl: string } {
  let bytes: Uint8Array = NO_BYTES;
  let schemaUrl = "";
  reader.position = start;
  reader.end = end;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === TAG_OWNER) bytes = reader.bytes();
    else if (tag === TAG_SCHEMA_URL) schemaUrl = reader.string();
    else reader.skip(tag & 7);
  }
  return { bytes, schemaUrl };
}
