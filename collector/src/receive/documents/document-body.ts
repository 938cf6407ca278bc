import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Config } from "../../config.ts";
import { encodeLogsRequest, type ShippedRecord } from "../../lines/logs-request.ts";
import { decompress } from "../decompress.ts";
import type { Reservation } from "../in-flight-bytes.ts";
import type { Intake } from "../intake.ts";
import { readBody } from "../request-body.ts";
import { parseEncoding } from "../request-head.ts";

export interface DocumentDoorOptions {
  readonly config: Pick<Config, "ingestTokens" | "maxRequestBytes" | "transactionKeys">;
  readonly intake: Intake;
  readonly bodyTimeoutMs: number;
  /** Unix time. */
  readonly nowNs: () => bigint;
}

/**
 * The body as it was before it was compressed.
 * @throws ClewError MEDIA_TYPE_UNSUPPORTED, and as `readBody` and `decompress` do.
 */
export async function readDocuments(
  request: IncomingMessage,
  { config, bodyTimeoutMs }: DocumentDoorOptions,
  reservation: Reservation,
): Promise<Buffer> {
  const encoding = parseEncoding(request.headers);
  const maxBytes = config.maxRequestBytes;
  const limits = { maxBytes, timeoutMs: bodyTimeoutMs, reservation };
  const body = await readBody(request, limits);
  return decompress({ body, encoding, maxBytes, reservation });
}

/** So many at once, then other requests have their turn: about 2 ms of work. */
const SLICE_RECORDS_MAX = 250;
const SLICE_BYTES_MAX = 128 * 1024;

/** Turns records into one OTLP request bit by bit, so that a large body does not hold up others. */
export class RecordEncoder {
  readonly #scope: string;
  readonly #service: string | undefined;
  readonly #reservation: Reservation;
  readonly #parts: Buffer[] = [];
  #records: ShippedRecord[] = [];
  #sourceBytes = 0;

  constructor(options: {
    readonly scope: string;
    readonly service?: string | undefined;
    readonly reservation: Reservation;
  }) {
    this.#scope = options.scope;
    this.#service = options.service;
    this.#reservation = options.reservation;
  }

  add(record: ShippedRecord, sourceBytes: number): void {
    this.#records.push(record);
    this.#sourceBytes += sourceBytes;
  }

  /** True where `flush` should be waited for before more is added. */
  get isFull(): boolean {
    return this.#records.length >= SLICE_RECORDS_MAX || this.#sourceBytes >= SLICE_BYTES_MAX;
  }

  /** @throws ClewError BUS_OVERLOADED */
  async flush(): Promise<void> {
    this.#encode();
    await nextTurn();
  }

  /** The whole request: one after the other, the parts are one message. */
  finish(): Buffer {
    this.#encode();
    const [first] = this.#parts;
    return this.#parts.length === 1 && first ? first : Buffer.concat(this.#parts);
  }

  #encode(): void {
    if (this.#records.length === 0) return;
    const part = encodeLogsRequest(this.#records, { scope: this.#scope, service: this.#service });
    this.#reservation.grow(part.length);
    this.#parts.push(part);
    this.#records = [];
    this.#sourceBytes = 0;
  }
}
