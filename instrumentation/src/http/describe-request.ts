import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { ATTRIBUTE, SEMANTIC } from "../wire-names.ts";
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
  /** The run whose span is the parent of this one. */
  readonly callerRunId: string | undefined;
}

/** Semantic conventions, HTTP server span: what is known when it begins. */
export function describeRequest(span: RecordedSpan, facts: RequestFacts): void {
  const list = lastingAttributes(facts);
  for (let i = 0; i < list.length; i += 2) {
    span.addAttribute(list[i] as string, list[i + 1] as string | number);
  }
  span.addAttribute(SEMANTIC.urlPath, facts.path);
}

/** All but the path, which the next request of a connection mostly has in common: key, value, … */
export function lastingAttributes(facts: Omit<RequestFacts, "path">): (string | number)[] {
  const { method, host, clientAddress, userAgent, callerRunId } = facts;
  const known = knownMethod(method);
  const list: (string | number)[] = [SEMANTIC.httpMethod, known];
  if (known === OTHER_METHOD) list.push(SEMANTIC.httpMethodOriginal, method);
  list.push(SEMANTIC.urlScheme, facts.scheme);
  if (host !== undefined) {
    const server = splitHost(host);
    list.push(SEMANTIC.serverAddress, server.host);
    if (server.port !== undefined) list.push(SEMANTIC.serverPort, server.port);
  }
  if (clientAddress !== undefined) list.push(SEMANTIC.clientAddress, clientAddress);
  if (userAgent !== undefined) list.push(SEMANTIC.userAgent, userAgent);
  list.push(SEMANTIC.networkProtocolVersion, facts.protocolVersion);
  if (callerRunId !== undefined) list.push(ATTRIBUTE.callerRunId, callerRunId);
  return list;
}
