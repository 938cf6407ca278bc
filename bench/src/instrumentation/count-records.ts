/**
 * How many spans or log records an OTLP export request holds:
 *
 *     request  { 1: resource group … }
 *     group    { 1: resource, 2: scope group …, 3: schema URL }
 *     scope    { 1: scope, 2: record …, 3: schema URL }
 *
 * Every field of these three messages is length-delimited, so lengths are all that is read.
 * @throws Error where the bytes are cut off or are something else.
 */
export function countRecords(request: Uint8Array): number {
  let records = 0;
  for (const group of bodiesOf(request, 1)) {
    for (const scope of bodiesOf(group, 2)) {
      for (const _record of bodiesOf(scope, 2)) records++;
    }
  }
  return records;
}

const LENGTH_DELIMITED = 2;

function* bodiesOf(message: Uint8Array, wanted: number): Generator<Uint8Array> {
  for (let at = 0; at < message.length; ) {
    const tag = message[at++] ?? 0;
    if ((tag & 7) !== LENGTH_DELIMITED) throw new Error(`cannot count records: field ${tag}`);
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("cannot count records: the request is cut off");
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    if (at + length > message.length) {
      throw new Error("cannot count records: a field is longer than its message");
    }
    if (tag >>> 3 === wanted) yield message.subarray(at, at + length);
    at += length;
  }
}
