import { VALUE_CHARACTERS_MAX } from "../tracing/config.ts";
import { newAllowance } from "./allowance.ts";
import { SPAN } from "./otlp-span.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { writeAttribute } from "./write-attribute.ts";

const SCRATCH_BYTES = 1024;

/** Attributes of a span that many spans have in common, encoded once, without their secrets. */
export class EncodedAttributes {
  /** Key, value, key, value, as they were given. */
  readonly list: readonly (string | number)[];
  /** As `attributes` fields of OTLP's Span. */
  readonly bytes: Uint8Array;

  constructor(list: readonly (string | number)[]) {
    this.list = list;
    const writer = new ProtobufWriter(SCRATCH_BYTES);
    const allowance = newAllowance(VALUE_CHARACTERS_MAX);
    for (let i = 0; i < list.length; i += 2) {
      const attribute = { field: SPAN.attributes, key: String(list[i]), value: list[i + 1] };
      writeAttribute(writer, attribute, allowance);
    }
    this.bytes = new Uint8Array(writer.buffer.subarray(0, writer.position));
  }

  has(key: string): boolean {
    const { list } = this;
    for (let i = 0; i < list.length; i += 2) if (list[i] === key) return true;
    return false;
  }
}
