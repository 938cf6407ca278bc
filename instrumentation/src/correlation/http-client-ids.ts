import type { ClientRequest } from "node:http";
import type { HostFilter } from "../http/host-filter.ts";
import { bindEmitter } from "../transaction/bound-emitter.ts";
import { EMPTY_CONTEXT, findContext } from "../transaction/transaction-context.ts";
import { builtinHttp } from "./builtin-http.ts";
import { addOutboundIds, type OutboundHeaders } from "./outbound-ids.ts";

const HEAD_END = "\r\n\r\n";

/**
 * Tells the IDs to whom node:http calls, and gives the request's listeners the context of the code
 * that made it: the message of the channel `http.client.request.created`. The host the socket goes
 * to decides, not the Host header, which the service may set to anything.
 */
export function takeClientRequest(message: unknown, isAllowedHost: HostFilter): void {
  const { request } = message as { request?: unknown };
  const { ClientRequest, IncomingMessage } = builtinHttp();
  if (!(request instanceof ClientRequest)) return;
  const headers = headersOf(request);
  if (headers !== undefined) addOutboundIds(headers, { host: request.host, isAllowedHost });
  const context = findContext() ?? EMPTY_CONTEXT;
  bindEmitter(request, {
    context,
    keepsInner: false,
    beforeEvent: (event, first) => {
      if (event !== "response" || !(first instanceof IncomingMessage)) return;
      bindEmitter(first, { context, keepsInner: false });
    },
  });
}

/** Undefined where the head of the request is gone already. */
function headersOf(request: ClientRequest): OutboundHeaders | undefined {
  const written = request as { _header?: unknown };
  if (typeof written._header !== "string") {
    return {
      find: (name) => {
        const value = request.getHeader(name);
        return value === undefined ? undefined : String(value);
      },
      add: (name, value) => request.setHeader(name, value),
    };
  }
  // Headers given as an array are written out by the constructor; the text is not yet sent.
  if (request.headersSent && request.socket !== null) return undefined;
  const given = written._header;
  if (!given.endsWith(HEAD_END)) return undefined;
  return {
    find: (name) => new RegExp(`\\r\\n${name}: *(.*)\\r\\n`, "i").exec(given)?.[1],
    add: (name, value) => {
      const head = String(written._header).slice(0, -HEAD_END.length);
      written._header = `${head}\r\n${name}: ${value}${HEAD_END}`;
    },
  };
}
