import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { SEMANTIC } from "../wire-names.ts";
import { splitHost } from "./host-header.ts";
import { knownMethod, OTHER_METHOD } from "./http-method.ts";

/** A request as it came in, over whichever protocol. */
export interface RequestFacts {
  readonly method: string;
  /** Without its query, which is where people put secrets. */
  readonly path: string;
  readonly scheme: string;
  readonly host: string | undefined;
  readonly userAgent: string | undefined;
  readonly clientAddress: string | undefined;
  readonly protocolVersion: string;
}

/** Semantic conventions, HTTP server span: what is known when it begins. */
export function describeRequest(span: RecordedSpan, facts: RequestFacts): void {
  const { method, host, clientAddress, userAgent } = facts;
  const known = knownMethod(method);
  span.addAttribute(SEMANTIC.httpMethod, known);
  if (known === OTHER_METHOD) span.addAttribute(SEMANTIC.httpMethodOriginal, method);
  span.addAttribute(SEMANTIC.urlPath, facts.path);
  span.addAttribute(SEMANTIC.urlScheme, facts.scheme);
  if (host !== undefined) describeHost(span, host);
  if (clientAddress !== undefined) span.addAttribute(SEMANTIC.clientAddress, clientAddress);
  if (userAgent !== undefined) span.addAttribute(SEMANTIC.userAgent, userAgent);
  span.addAttribute(SEMANTIC.networkProtocolVersion, facts.protocolVersion);
}

function describeHost(span: RecordedSpan, header: string): void {
  const { host, port } = splitHost(header);
  span.addAttribute(SEMANTIC.serverAddress, host);
  if (port !== undefined) span.addAttribute(SEMANTIC.serverPort, port);
}
