import { ATTRIBUTE } from "../wire-names.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { writeOwnAttribute } from "./write-attribute.ts";

const SCRATCH_BYTES = 256;

/** A record's uid: the run's part, and the number of the record in it. */
export interface Uid {
  readonly prefix: string;
  readonly sequence: number;
}

/** What was encoded last, to be copied as long as it is asked for again. */
const lastUid = {
  prefix: "",
  digits: 0,
  start: 0,
  end: 0,
  field: 0,
  bytes: Buffer.alloc(0) as Uint8Array,
};
const lastTransaction = { id: "", field: 0, bytes: Buffer.alloc(0) as Uint8Array };

/**
 * Writes `log.record.uid`. All but the number is the same for every record of a run: it is encoded
 * once for each length of the number, and copied. This and `writeTransactionId` took 240 ns off
 * the 480 that a line without fields took to encode.
 */
export function writeUid(writer: ProtobufWriter, field: number, uid: Uid): void {
  const { prefix, sequence } = uid;
  const isSame = lastUid.prefix === prefix && lastUid.field === field;
  if (!isSame || sequence < lastUid.start || sequence >= lastUid.end) prepareUid(field, uid);
  writer.raw(lastUid.bytes);
  writer.decimal(sequence, lastUid.digits);
}

/** Writes `clew.transaction.id`. Lines of one transaction often follow one another. */
export function writeTransactionId(writer: ProtobufWriter, field: number, id: string): void {
  if (lastTransaction.id !== id || lastTransaction.field !== field) {
    lastTransaction.bytes = encode(field, ATTRIBUTE.transactionId, id);
    lastTransaction.id = id;
    lastTransaction.field = field;
  }
  writer.raw(lastTransaction.bytes);
}

function encode(field: number, key: string, value: string): Uint8Array {
  const writer = new ProtobufWriter(SCRATCH_BYTES);
  writeOwnAttribute(writer, { field, key, value });
  return writer.buffer.subarray(0, writer.position);
}

/** Encodes a uid with zeros for its number, for all numbers of that many digits. */
function prepareUid(field: number, { prefix, sequence }: Uid): void {
  const digits = String(sequence).length;
  const encoded = encode(field, ATTRIBUTE.recordUid, prefix + "0".repeat(digits));
  lastUid.bytes = encoded.subarray(0, encoded.length - digits);
  lastUid.prefix = prefix;
  lastUid.field = field;
  lastUid.digits = digits;
  lastUid.start = digits === 1 ? 0 : 10 ** (digits - 1);
  lastUid.end = 10 ** digits;
}
