import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { EncodedAttributes } from "../otlp/encoded-attributes.ts";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { SEMANTIC } from "../wire-names.ts";
import { describeRequest, lastingAttributes, type RequestFacts } from "./describe-request.ts";
import { pathOf } from "./server-exchange.ts";

const SEEN = Symbol("clew.seen");

/** The last request of a connection, by what tells it from the next one. */
interface Seen {
  readonly method: string;
  readonly host: string | undefined;
  readonly userAgent: string | undefined;
  readonly protocolVersion: string;
  readonly callerRunId: string | undefined;
  /** From the second request on that looks like it. */
  encoded: EncodedAttributes | undefined;
}

interface SeenSocket extends Socket {
  [SEEN]?: Seen;
}

/**
 * Describes a request of HTTP/1. The requests of a connection mostly differ in their path alone, so
 * that the rest is gathered, searched for secrets and encoded once; a connection that serves one
 * request costs no more for it.
 */
export function describeOnConnection(
  span: RecordedSpan,
  request: IncomingMessage,
  asked: Asked,
): void {
  const { method, callerRunId } = asked;
  const socket: SeenSocket = request.socket;
  const { host, "user-agent": userAgent } = request.headers;
  const { httpVersion: protocolVersion } = request;
  const seen = socket[SEEN];
  const isAlike =
    seen !== undefined &&
    seen.method === method &&
    seen.host === host &&
    seen.userAgent === userAgent &&
    seen.protocolVersion === protocolVersion &&
    seen.callerRunId === callerRunId;
  if (!isAlike || !span.canShareAttributes) {
    const facts = { method, host, userAgent, protocolVersion, callerRunId };
    socket[SEEN] = { ...facts, encoded: undefined };
    describeRequest(span, factsOf(request, asked));
    return;
  }
  seen.encoded ??= new EncodedAttributes(lastingAttributes(factsOf(request, asked)));
  span.shareAttributes(seen.encoded);
  span.addAttribute(SEMANTIC.urlPath, pathOf(asked.url));
}

/** What was asked for, and by whom. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly callerRunId: string | undefined;
}

/** What a span says of a request of HTTP/1. */
export function factsOf(request: IncomingMessage, asked: Asked): RequestFacts {
  const { socket, headers } = request;
  return {
    method: asked.method,
    path: pathOf(asked.url),
    scheme: "encrypted" in socket ? "https" : "http",
    host: headers.host,
    userAgent: headers["user-agent"],
    clientAddress: socket.remoteAddress,
    protocolVersion: request.httpVersion,
    callerRunId: asked.callerRunId,
  };
}
