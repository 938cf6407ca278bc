import { Duplex } from "node:stream";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";

/** What is taken from a call of grpc-js. */
export interface TakenCall {
  /** The HTTP/2 stream below the call. */
  readonly stream: Duplex;
  /** What `grpc-encoding` says. */
  readonly encoding: string;
}

/**
 * Takes decompression, and the bytes as they arrive, away from grpc-js, which has no option for
 * either: it would buffer messages that are not counted, and inflate as many bombs at a time as
 * there are streams, each up to the largest message. Both fields are private to grpc-js, whose
 * version is pinned; `collector/test/otlp-grpc.test.ts` fails where a new one has them no more.
 */
export function takeCall(call: ServerInterceptingCallInterface): TakenCall {
  const stream: unknown = Reflect.get(call, "stream");
  const encoding: unknown = Reflect.get(call, "incomingEncoding");
  if (!(stream instanceof Duplex) || typeof encoding !== "string") {
    throw new Error("this version of @grpc/grpc-js keeps its streams elsewhere");
  }
  Reflect.set(call, "incomingEncoding", "identity");
  return { stream, encoding };
}
