import type { Attributes, AttributeValue, RecordKind } from "../../record.ts";
import type { QueriedRecord } from "../query-language/matches.ts";
import type { DayReader } from "./day-reader.ts";
import { FLAG } from "./day-schema.ts";
import { indexedText } from "./indexed-text.ts";
import { type ReadMessage, readMessage } from "./stored-record.ts";

/** A row of `records` of which only that is read which a query asks for. */
export class CheckedRow implements QueriedRecord {
  readonly payload: Buffer;
  readonly #reader: DayReader;
  readonly #columns: Readonly<Record<string, unknown>>;
  #read: ReadMessage | undefined;

  constructor(reader: DayReader, columns: Readonly<Record<string, unknown>>) {
    const payload = columns.payload as Uint8Array;
    this.payload = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#reader = reader;
    this.#columns = columns;
  }

  /** What words are searched in. */
  get indexedText(): string {
    const { kind, payload } = this;
    return indexedText({ kind, payload, receivedNs: this.#columns.received as bigint });
  }

  get kind(): RecordKind {
    return (Number(this.#columns.flags) & FLAG.span) === 0 ? "log" : "span";
  }

  get message(): string {
    return this.#content.message;
  }

  get body(): AttributeValue {
    return this.#content.body;
  }

  get attributes(): Attributes {
    return this.#content.attributes;
  }

  get resource(): Attributes {
    return this.#reader.resource(Number(this.#columns.resource));
  }

  get service(): string {
    return this.#reader.serviceName(Number(this.#columns.service));
  }

  get severityNumber(): number {
    return Number(this.#columns.severity);
  }

  get transactionId(): string | null {
    const key = this.#columns.transaction_key;
    return key === null ? null : this.#reader.transactionId(Number(key));
  }

  get traceId(): string | null {
    return toHex(this.#columns.trace_id);
  }

  get spanId(): string | null {
    return toHex(this.#columns.span_id);
  }

  get #content(): ReadMessage {
    this.#read ??= readMessage(this);
    return this.#read;
  }
}

function toHex(bytes: unknown): string | null {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString("hex") : null;
}
