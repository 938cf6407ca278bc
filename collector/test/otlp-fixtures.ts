/** OTLP export requests for tests, by an encoder that shares no code with the collector. */

export type AnyTestValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly AnyTestValue[]
  | { readonly [key: string]: AnyTestValue };

type TestAttributes = Readonly<Record<string, AnyTestValue>>;

export interface TestLogRecord {
  readonly timeNs?: bigint;
  readonly observedNs?: bigint;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: AnyTestValue;
  readonly attributes?: TestAttributes;
  readonly traceId?: string;
  readonly spanId?: string;
}

export interface TestResourceLogs {
  readonly resource: TestAttributes;
  readonly scope?: string;
  readonly records: readonly TestLogRecord[];
}

export interface TestSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes?: TestAttributes;
  readonly status?: { readonly code: number; readonly message?: string };
  readonly events?: readonly {
    readonly name: string;
    readonly timeNs: bigint;
    readonly attributes?: TestAttributes;
  }[];
  readonly links?: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes?: TestAttributes;
  }[];
}

export interface TestResourceSpans {
  readonly resource: TestAttributes;
  readonly scope?: string;
  readonly spans: readonly TestSpan[];
}

/** An `ExportLogsServiceRequest`. Ids are hex; whole numbers become integers, others doubles. */
export function logsRequest(resources: readonly TestResourceLogs[]): Buffer {
  return Buffer.concat(
    resources.map((item) => {
      const records = item.records.map((record) => field.bytes(2, logRecord(record)));
      return field.bytes(1, underResource(item, records));
    }),
  );
}

/** An `ExportTraceServiceRequest`. */
export function tracesRequest(resources: readonly TestResourceSpans[]): Buffer {
  return Buffer.concat(
    resources.map((item) => {
      const spans = item.spans.map((one) => field.bytes(2, span(one)));
      return field.bytes(1, underResource(item, spans));
    }),
  );
}

/** An `ExportMetricsServiceRequest` with one gauge of as many data points as there are values. */
export function metricsRequest(name: string, values: readonly number[]): Buffer {
  const points = values.map((value) => field.bytes(1, field.double(4, value)));
  const metric = message([field.text(1, name), field.bytes(5, message(points))]);
  return field.bytes(1, field.bytes(2, field.bytes(2, metric)));
}

/** Writers of single protobuf fields: `number << 3 | wire type`, then the value. */
export const field = {
  bytes(number: number, value: Uint8Array): Buffer {
    return Buffer.concat([varint((number << 3) | 2), varint(value.length), value]);
  },
  text(number: number, value: string): Buffer {
    return field.bytes(number, Buffer.from(value));
  },
  varint(number: number, value: number | bigint): Buffer {
    return Buffer.concat([varint(number << 3), varint(value)]);
  },
  fixed64(number: number, value: bigint): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    return Buffer.concat([varint((number << 3) | 1), bytes]);
  },
  fixed32(number: number, value: number): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return Buffer.concat([varint((number << 3) | 5), bytes]);
  },
  double(number: number, value: number): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return Buffer.concat([varint((number << 3) | 1), bytes]);
  },
};

/** An `AnyValue`: string 1, bool 2, int 3, double 4, array 5, kvlist 6, bytes 7. */
export function anyValue(value: AnyTestValue): Buffer {
  if (value === null) return Buffer.alloc(0);
  if (typeof value === "string") return field.text(1, value);
  if (typeof value === "boolean") return field.varint(2, value ? 1 : 0);
  if (typeof value === "bigint") return field.varint(3, value);
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? field.varint(3, value) : field.double(4, value);
  }
  if (value instanceof Uint8Array) return field.bytes(7, value);
  if (isList(value)) {
    return field.bytes(5, message(value.map((item) => field.bytes(1, anyValue(item)))));
  }
  return field.bytes(6, attributes(1, value));
}

/** A varint of 64 bits; negative numbers take ten bytes, as protobuf has it. */
export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** `ResourceLogs` or `ResourceSpans`: resource 1, one scope group 2. */
function underResource(
  item: { readonly resource: TestAttributes; readonly scope?: string },
  records: readonly Buffer[],
): Buffer {
  const scope = item.scope === undefined ? [] : [field.bytes(1, field.text(1, item.scope))];
  return message([
    field.bytes(1, attributes(1, item.resource)),
    field.bytes(2, message([...scope, ...records])),
  ]);
}

function logRecord(record: TestLogRecord): Buffer {
  const parts: Buffer[] = [];
  if (record.timeNs !== undefined) parts.push(field.fixed64(1, record.timeNs));
  if (record.severityNumber !== undefined) parts.push(field.varint(2, record.severityNumber));
  if (record.severityText !== undefined) parts.push(field.text(3, record.severityText));
  if (record.body !== undefined) parts.push(field.bytes(5, anyValue(record.body)));
  if (record.attributes !== undefined) parts.push(attributes(6, record.attributes));
  if (record.traceId !== undefined) parts.push(field.bytes(9, hex(record.traceId)));
  if (record.spanId !== undefined) parts.push(field.bytes(10, hex(record.spanId)));
  if (record.observedNs !== undefined) parts.push(field.fixed64(11, record.observedNs));
  return message(parts);
}

function span(one: TestSpan): Buffer {
  const parts = [field.bytes(1, hex(one.traceId)), field.bytes(2, hex(one.spanId))];
  if (one.parentSpanId !== undefined) parts.push(field.bytes(4, hex(one.parentSpanId)));
  parts.push(field.text(5, one.name));
  if (one.kind !== undefined) parts.push(field.varint(6, one.kind));
  parts.push(field.fixed64(7, one.startNs), field.fixed64(8, one.endNs));
  if (one.attributes !== undefined) parts.push(attributes(9, one.attributes));
  for (const event of one.events ?? []) {
    const written = [field.fixed64(1, event.timeNs), field.text(2, event.name)];
    parts.push(field.bytes(11, message([...written, attributes(3, event.attributes ?? {})])));
  }
  for (const link of one.links ?? []) {
    const written = [field.bytes(1, hex(link.traceId)), field.bytes(2, hex(link.spanId))];
    parts.push(field.bytes(13, message([...written, attributes(4, link.attributes ?? {})])));
  }
  if (one.status !== undefined) {
    const text = one.status.message === undefined ? [] : [field.text(2, one.status.message)];
    parts.push(field.bytes(15, message([...text, field.varint(3, one.status.code)])));
  }
  return message(parts);
}

/** Repeated `KeyValue` (key 1, value 2) under the given field number. */
function attributes(number: number, values: TestAttributes): Buffer {
  return message(
    Object.entries(values).map(([key, value]) =>
      field.bytes(number, message([field.text(1, key), field.bytes(2, anyValue(value))])),
    ),
  );
}

function isList(value: AnyTestValue): value is readonly AnyTestValue[] {
  return Array.isArray(value);
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, "hex");
}

function message(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}
