import { ATTRIBUTE, SEMANTIC } from "@clew/instrumentation/names";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { findScalarText } from "./any-value.ts";
import { AttributeScan } from "./attribute-scan.ts";
import type { TransactionKeys } from "./transaction-keys.ts";

/** What all records of one scope in one message share. */
export interface RecordSource extends ResourceFacts {
  /** Names a record that brings no name of its own: request id and part. */
  readonly idPrefix: string;
  readonly receivedNs: bigint;
  readonly mayRepeat: boolean;
  readonly resource: Uint8Array;
  readonly resourceSchemaUrl: string;
  readonly scope: Uint8Array;
  readonly scopeSchemaUrl: string;
}

export interface ResourceFacts {
  readonly service: string;
  /** Of a service that numbers its records; empty else. */
  readonly runId: string;
  /** The resource's own transaction ID, as a batch job may have; mostly empty. */
  readonly resourceTransactionId: string;
}

const TAG_ATTRIBUTES = 0x0a;
const UNKNOWN_SERVICE = "unknown_service";
const SERVICE_CHARACTERS_MAX = 256;
const RUN_ID_CHARACTERS_MAX = 64;
/** Indexes of what is looked for among the attributes; the transaction keys follow. */
const WANTED = [SEMANTIC.serviceName, ATTRIBUTE.runId];
const SERVICE = 0;
const RUN = 1;

/** Reads `opentelemetry.proto.resource.v1.Resource`. */
export class ResourceDecoder {
  readonly #keys: TransactionKeys;
  readonly #scan: AttributeScan;

  constructor(keys: TransactionKeys) {
    this.#keys = keys;
    this.#scan = new AttributeScan([...WANTED, ...keys.names]);
  }

  decode(bytes: Uint8Array): ResourceFacts {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const reader = new ProtobufReader(buffer);
    const scan = this.#scan;
    scan.reset();
    while (!reader.isAtEnd()) {
      const tag = reader.tag();
      if (tag === TAG_ATTRIBUTES) scan.add(reader);
      else reader.skip(tag & 7);
    }
    const service = scan.has(SERVICE) ? findScalarText(buffer, scan.range(SERVICE)) : undefined;
    const runId = scan.has(RUN) ? findScalarText(buffer, scan.range(RUN)) : undefined;
    const sought = { buffer, first: WANTED.length, keys: this.#keys };
    return {
      service: (service || UNKNOWN_SERVICE).slice(0, SERVICE_CHARACTERS_MAX),
      runId: runId !== undefined && runId.length <= RUN_ID_CHARACTERS_MAX ? runId : "",
      resourceTransactionId: findTransactionId(scan, sought),
    };
  }
}

/** The first value to take of the transaction keys, which `scan` has from index `first` on. */
export function findTransactionId(
  scan: AttributeScan,
  { buffer, first, keys }: { buffer: Buffer; first: number; keys: TransactionKeys },
): string {
  for (let index = first; index < first + keys.names.length; index++) {
    if (!scan.has(index)) continue;
    const id = keys.accept(findScalarText(buffer, scan.range(index)));
    if (id !== "") return id;
  }
  return "";
}
