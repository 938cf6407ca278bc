import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import type { ClewError } from "../../errors.ts";
import { ENCODINGS } from "../decompress.ts";
import { encodeRpcStatus } from "../rpc-status.ts";

const DETAILS_KEY = "grpc-status-details-bin";
const ACCEPT_ENCODING_KEY = "grpc-accept-encoding";
const HAS_DETAILS: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.INVALID_ARGUMENT]);

/**
 * How an error is told over gRPC. What may succeed later is UNAVAILABLE with a `RetryInfo`, by
 * which a client knows when to come again (OTLP 1.11, "OTLP/gRPC Throttling").
 */
export function toStatus(error: ClewError): StatusObject {
  // A percent-encoded header holds no half of a surrogate pair.
  const details = error.message.toWellFormed();
  const metadata = new Metadata();
  // gRPC's own rule for a message encoding that the server does not have ("Compression in gRPC").
  if (error.code === "MEDIA_TYPE_UNSUPPORTED") {
    metadata.set(ACCEPT_ENCODING_KEY, ENCODINGS.join(","));
    return { code: status.UNIMPLEMENTED, details, metadata };
  }
  const code: status = error.kind.rpcCode;
  if (HAS_DETAILS.has(code)) metadata.set(DETAILS_KEY, encodeRpcStatus(error));
  return { code, details, metadata };
}
