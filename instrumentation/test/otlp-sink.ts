import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** A log record or span as it was received, with what is asked of it in tests. */
export interface Received {
  readonly signal: "logs" | "traces";
  readonly attempt: string | undefined;
  readonly scope: string;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly traceId: string;
  readonly spanId: string;
  readonly timeNs: bigint;
}

export interface ReceivedLog extends Received {
  readonly signal: "logs";
  readonly severity: number;
  readonly severityText: string;
  readonly body: unknown;
}

export interface ReceivedSpan extends Received {
  readonly signal: "traces";
  readonly name: string;
  readonly kind: number;
  readonly parentSpanId: string;
  readonly endNs: bigint;
  readonly status: number;
  readonly statusMessage: string;
  readonly events: readonly { name: string; attributes: Record<string, unknown> }[];
  readonly links: readonly {
    traceId: string;
    spanId: string;
    attributes?: Record<string, unknown>;
  }[];
  readonly traceState: string;
}

/** What to do with a request before it is decoded; true where it was answered. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * A collector small enough to be sure of: it takes OTLP/HTTP protobuf, decodes it field by field
 * with code that shares nothing with the encoder under test, and remembers every record.
 */
export class OtlpSink {
  readonly logs: ReceivedLog[] = [];
  /** Run reports, kept apart: each process sends some, whatever its program does. */
  readonly reports: ReceivedLog[] = [];
  readonly spans: ReceivedSpan[] = [];
  readonly requests: { path: string; headers: IncomingMessage["headers"]; bytes: number }[] = [];
  fault: Fault | undefined;
  readonly #server = createServer((request, response) => this.#take(request, response));

  async start(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keepLogs(logs: readonly ReceivedLog[]): void {
    for (const log of logs) {
      const isReport = log.attributes["event.name"] === "clew.instance.report";
      (isReport ? this.reports : this.logs).push(log);
    }
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    if (this.fault?.(request, response) === true) return;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const sent = Buffer.concat(chunks);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
      const path = request.url ?? "";
      this.requests.push({ path, headers: request.headers, bytes: body.length });
      const attempt = request.headers["clew-attempt"]?.toString();
      if (path.endsWith("/v1/logs")) this.#keepLogs(readLogs(body, attempt));
      else this.spans.push(...readSpans(body, attempt));
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  }
}

type Field = { number: number; value: number | bigint | Buffer };

/** Every field of one message, in order; throws where the bytes are not protobuf. */
export function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("the message is cut off");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (bytes: number): Buffer => {
    if (at + bytes > message.length) throw new Error("a field is longer than its message");
    at += bytes;
    return message.subarray(at - bytes, at);
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    if ((tag & 7) === 0) fields.push({ number, value: BigInt.asIntN(64, varint()) });
    else if ((tag & 7) === 1) fields.push({ number, value: take(8) });
    else if ((tag & 7) === 5) fields.push({ number, value: take(4) });
    else if ((tag & 7) === 2) fields.push({ number, value: take(Number(varint())) });
    else throw new Error(`wire type ${tag & 7} is not in use`);
  }
  return fields;
}

function all(message: Buffer, number: number): Buffer[] {
  return fieldsOf(message)
    .filter((field) => field.number === number)
    .map((field) => field.value as Buffer);
}

function one(message: Buffer, number: number): Buffer {
  return all(message, number)[0] ?? Buffer.alloc(0);
}

function int(message: Buffer, number: number): number {
  return Number(fieldsOf(message).find((field) => field.number === number)?.value ?? 0);
}

function time(message: Buffer, number: number): bigint {
  const bytes = one(message, number);
  return bytes.length === 8 ? bytes.readBigUInt64LE() : 0n;
}

function text(message: Buffer, number: number): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(one(message, number));
}

/** An AnyValue as a plain value. */
export function anyValue(message: Buffer): unknown {
  const field = fieldsOf(message)[0];
  if (field === undefined) return null;
  const { number, value } = field;
  if (number === 1) return new TextDecoder("utf-8", { fatal: true }).decode(value as Buffer);
  if (number === 2) return value === 1n;
  if (number === 3) return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (number === 4) return (value as Buffer).readDoubleLE();
  if (number === 5) return all(value as Buffer, 1).map(anyValue);
  return number === 6 ? attributesOf(value as Buffer, 1) : value;
}

export function attributesOf(message: Buffer, number: number): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const pair of all(message, number)) {
    const key = text(pair, 1);
    if (Object.hasOwn(attributes, key)) throw new Error(`the attribute ${key} is there twice`);
    attributes[key] = anyValue(one(pair, 2));
  }
  return attributes;
}

function* records(body: Buffer): Generator<{ resource: Buffer; scope: string; record: Buffer }> {
  for (const group of all(body, 1)) {
    for (const scoped of all(group, 2)) {
      const scope = text(one(scoped, 1), 1);
      for (const record of all(scoped, 2)) yield { resource: one(group, 1), scope, record };
    }
  }
}

function readLogs(body: Buffer, attempt: string | undefined): ReceivedLog[] {
  return [...records(body)].map(({ resource, scope, record }) => ({
    ...{ signal: "logs", attempt, scope },
    resource: attributesOf(resource, 1),
    attributes: attributesOf(record, 6),
    timeNs: time(record, 1),
    severity: int(record, 2),
    severityText: text(record, 3),
    body: anyValue(one(record, 5)),
    traceId: one(record, 9).toString("hex"),
    spanId: one(record, 10).toString("hex"),
  }));
}

function readSpans(body: Buffer, attempt: string | undefined): ReceivedSpan[] {
  return [...records(body)].map(({ resource, scope, record }) => ({
    ...{ signal: "traces", attempt, scope },
    resource: attributesOf(resource, 1),
    attributes: attributesOf(record, 9),
    traceId: one(record, 1).toString("hex"),
    spanId: one(record, 2).toString("hex"),
    traceState: text(record, 3),
    parentSpanId: one(record, 4).toString("hex"),
    name: text(record, 5),
    kind: int(record, 6),
    timeNs: time(record, 7),
    endNs: time(record, 8),
    events: all(record, 11).map((event) => ({
      name: text(event, 2),
      attributes: attributesOf(event, 3),
    })),
    links: all(record, 13).map((link) => ({
      traceId: one(link, 1).toString("hex"),
      spanId: one(link, 2).toString("hex"),
      ...(all(link, 4).length > 0 && { attributes: attributesOf(link, 4) }),
    })),
    status: int(one(record, 15), 3),
    statusMessage: text(one(record, 15), 2),
  }));
}
