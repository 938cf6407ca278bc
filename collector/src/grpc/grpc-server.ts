import { Server, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import type { TlsIdentity } from "../tls-files.ts";

/** Calls at a time on one connection. */
const STREAMS_MAX = 100;
/** A client that is gone without a word is found after these; one that is idle is let go later. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_ANSWER_MS = 20_000;
const IDLE_MS = 15 * 60_000;

/** A server of grpc-js with our bounds, which listens nowhere: connections are handed to it. */
export function createGrpcServer(options: ServerOptions): Server {
  return new Server({
    "grpc.max_concurrent_streams": STREAMS_MAX,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_ANSWER_MS,
    "grpc.max_connection_idle_ms": IDLE_MS,
    // It would keep a record of every connection.
    "grpc.enable_channelz": 0,
    ...options,
  });
}

export function grpcCredentials(tls: TlsIdentity | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) };
  return ServerCredentials.createSsl(null, [pair]);
}
