import { ClewError } from "../errors.ts";
import type { DeadLetter } from "../store/store.ts";

const HEAD_BYTES = 4;
const TEXT_FIELDS = ["id", "transactionId", "service", "reason", "detail", "topic"] as const;

/*
 * A dead letter as a bus message:
 *   0  u32, little endian: bytes of the JSON text
 *   4  JSON object: id, receivedNs (decimal string), transactionId, service, reason, detail, topic
 *      then the original bytes, to the end
 */
export function encodeDeadLetter(letter: DeadLetter): Buffer {
  const { original, receivedNs, ...texts } = letter;
  const json = Buffer.from(JSON.stringify({ ...texts, receivedNs: String(receivedNs) }));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(json.length);
  return Buffer.concat([head, json, original]);
}

/** @throws ClewError REQUEST_MALFORMED */
export function decodeDeadLetter(value: Uint8Array): DeadLetter {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length < HEAD_BYTES) throw malformed("it is cut off");
  const jsonEnd = HEAD_BYTES + bytes.readUInt32LE();
  if (jsonEnd > bytes.length) throw malformed("it is cut off");
  const fields = parseObject(bytes.toString("utf8", HEAD_BYTES, jsonEnd));
  const [id, transactionId, service, reason, detail, topic] = TEXT_FIELDS.map((name) => {
    const text = fields[name];
    if (typeof text !== "string") throw malformed(`${name} is missing`);
    return text;
  }) as [string, string, string, string, string, string];
  const { receivedNs } = fields;
  if (typeof receivedNs !== "string" || !/^\d{1,19}$/.test(receivedNs)) {
    throw malformed("receivedNs is missing");
  }
  return {
    id,
    receivedNs: BigInt(receivedNs),
    transactionId,
    service,
    reason,
    detail,
    topic,
    original: bytes.subarray(jsonEnd),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed("its head is not JSON", cause);
  }
  if (typeof value !== "object" || value === null) throw malformed("its head is not an object");
  return { ...value };
}

function malformed(why: string, cause?: unknown): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot read a dead letter: ${why}`, { cause });
}
