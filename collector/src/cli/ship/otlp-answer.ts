import { ClewError } from "../../errors.ts";
import { ProtobufReader, WIRE } from "../../otlp/protobuf-reader.ts";

/** What came of one export request. */
export interface OtlpAnswer {
  /** 0 where nothing answered. */
  readonly status: number;
  readonly reason: string;
  /** Records that were not taken, of a request that was. */
  readonly rejected: number;
  readonly retryAfterMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string;
  readonly body: Buffer;
}

interface Said {
  readonly reason?: string | undefined;
  readonly rejected?: number;
}

const RETRY_AFTER_MS_MAX = 15_000;
const PARTIAL_SUCCESS = 1;
const REJECTED = 1;
const MESSAGE = 2;

/**
 * Reads the answer to an OTLP export request (OTLP 1.11, "OTLP/HTTP Response"): protobuf or JSON. A
 * body that is neither, as a proxy may send it, says nothing beside its status.
 */
export function readOtlpAnswer({ status, contentType, retryAfter, body }: HttpAnswer): OtlpAnswer {
  const isProtobuf = contentType.includes("protobuf");
  const said = isProtobuf ? findInProtobuf(body, status) : findInJson(body.toString());
  const seconds = Number(retryAfter);
  return {
    status,
    reason: said.reason || `HTTP ${status}`,
    rejected: said.rejected ?? 0,
    retryAfterMs: seconds > 0 ? Math.min(seconds * 1000, RETRY_AFTER_MS_MAX) : 0,
  };
}

/**
 *     ExportLogsServiceResponse { ExportLogsPartialSuccess partial_success = 1 }
 *     ExportLogsPartialSuccess  { int64 rejected_log_records = 1, string error_message = 2 }
 *     google.rpc.Status         { int32 code = 1, string message = 2 }
 */
function findInProtobuf(body: Buffer, status: number): Said {
  try {
    const reader = new ProtobufReader(body);
    if (status !== 200) return { reason: readFields(reader).message };
    while (!reader.isAtEnd()) {
      const tag = reader.tag();
      if (tag !== ((PARTIAL_SUCCESS << 3) | WIRE.bytes)) reader.skip(tag & 7);
      else {
        const { number, message } = readFields(new ProtobufReader(reader.bytes()));
        return { rejected: number, reason: message };
      }
    }
    return {};
  } catch (error) {
    if (error instanceof ClewError) return {};
    throw error;
  }
}

/** Both messages that matter have a number first and a text second. */
function readFields(reader: ProtobufReader): { number: number; message: string } {
  let number = 0;
  let message = "";
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    if (tag === ((REJECTED << 3) | WIRE.varint)) number = Number(reader.varint64());
    else if (tag === ((MESSAGE << 3) | WIRE.bytes)) message = reader.string();
    else reader.skip(tag & 7);
  }
  return { number, message };
}

function findInJson(text: string): Said {
  try {
    const json = JSON.parse(text) as {
      partialSuccess?: { rejectedLogRecords?: number | string; errorMessage?: string };
      message?: string;
    } | null;
    const partial = json?.partialSuccess;
    const rejected = Number(partial?.rejectedLogRecords ?? 0);
    return { rejected, reason: partial?.errorMessage || json?.message };
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
