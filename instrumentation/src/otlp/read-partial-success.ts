/**
 * Reads ExportLogsServiceResponse and ExportTraceServiceResponse: partial_success = 1
 * { rejected_log_records or rejected_spans = 1 (int64), error_message = 2 }. An answer that cannot
 * be read says nothing was rejected: its status was a 2xx.
 */
export function readPartialSuccess(body: Buffer): { rejected: number; message: string } {
  const outer = readFields(body);
  const partial = outer?.get(1);
  const fields = Buffer.isBuffer(partial) ? readFields(partial) : undefined;
  const rejected = fields?.get(1);
  const message = fields?.get(2);
  return {
    rejected: typeof rejected === "number" ? rejected : 0,
    message: Buffer.isBuffer(message) ? message.toString("utf8") : "",
  };
}

const VARINT = 0;
const BYTES = 2;
const VARINT_BYTES_MAX = 10;

/** The varint and bytes fields of one message; undefined where it is malformed. */
function readFields(body: Buffer): Map<number, number | Buffer> | undefined {
  const fields = new Map<number, number | Buffer>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = body[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < body.length) {
    const tag = varint();
    const wireType = tag & 7;
    const value = varint();
    if (Number.isNaN(tag) || Number.isNaN(value)) return undefined;
    if (wireType === VARINT) {
      fields.set(tag >>> 3, value);
      continue;
    }
    if (wireType !== BYTES || at + value > body.length) return undefined;
    fields.set(tag >>> 3, body.subarray(at, at + value));
    at += value;
  }
  return fields;
}
