import { ClewError } from "../../errors.ts";
import { otlpJsonToProtobuf } from "../../otlp/otlp-json.ts";
import type { Signal } from "../../otlp/otlp-schema.ts";
import type { StoredDeadLetter } from "../../store/dead-letter.ts";

const SIGNALS: readonly Signal[] = ["logs", "traces", "metrics"];
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * What is sent in the letter's place as protobuf, of OTLP/JSON or of base64; null where nothing is.
 * @throws ClewError REQUEST_MALFORMED, REQUEST_TOO_LARGE
 */
export function editedBytes(
  { topic }: StoredDeadLetter,
  edited: object | string | undefined,
  maxBytes: number,
): Buffer | null {
  if (edited === undefined) return null;
  const bytes = typeof edited === "string" ? fromBase64(edited) : fromJson(topic, edited, maxBytes);
  if (bytes.length <= maxBytes) return bytes;
  const why = `${bytes.length} bytes: the bus takes ${maxBytes}`;
  throw new ClewError("REQUEST_TOO_LARGE", `cannot send it: ${why}`);
}

function fromBase64(text: string): Buffer {
  if (BASE64.test(text) && text.length % 4 === 0) return Buffer.from(text, "base64");
  throw new ClewError("REQUEST_MALFORMED", "cannot read what was edited: it is no base64");
}

function fromJson(topic: string, edited: object, maxBytes: number): Buffer {
  const signal = SIGNALS.find((known) => known === topic);
  if (signal === undefined) {
    const why = `a message of ${topic} cannot be edited`;
    throw new ClewError("REQUEST_MALFORMED", `cannot send it: ${why}`);
  }
  const json = Buffer.from(JSON.stringify(edited));
  return otlpJsonToProtobuf({ signal, json, maxBytes });
}
