import { subscribe } from "node:diagnostics_channel";
import { ClientRequest, IncomingMessage } from "node:http";
import { guard } from "../stats.ts";
import { bindEmitter } from "../transaction/bound-emitter.ts";
import { EMPTY_CONTEXT } from "../transaction/transaction-context.ts";
import { HEADER } from "../wire-names.ts";
import { splitHost } from "./host-header.ts";
import {
  type Destination,
  type OutboundCall,
  type OutboundOptions,
  startOutboundCall,
} from "./outbound-call.ts";
import { writeOutboundHeaders } from "./outbound-headers.ts";

/** Follows every request of node:http and node:https clients, by the channel Node has for it. */
export function instrumentHttpClient(options: OutboundOptions): void {
  subscribe(
    "http.client.request.created",
    guard("http-client", (message) => {
      const { request } = message as { request?: unknown };
      if (!(request instanceof ClientRequest)) return;
      const call = startOutboundCall(destinationOf(request), options);
      if (call === undefined) return;
      if (call.isAllowed) inject(request, call, options.runId);
      follow(request, call);
    }),
  );
}

/**
 * The host the socket goes to decides, not the Host header, which the service may set to anything.
 * The port is only known from the header.
 */
function destinationOf(request: ClientRequest): Destination {
  return {
    method: request.method,
    protocol: request.protocol,
    host: request.host,
    port: splitHost(headerText(request, "host") ?? "").port,
    path: request.path,
    ownId: headerText(request, HEADER.transactionId),
  };
}

/** Undefined where it is not set. Node keeps no list of headers that were given as an array. */
function headerText(request: ClientRequest, name: string): string | undefined {
  const value = request.getHeader(name);
  return value === undefined ? undefined : String(value);
}

function inject(request: ClientRequest, call: OutboundCall, runId: string | undefined): void {
  const { context, transaction, span } = call;
  const written = request as { _header?: unknown };
  const head = typeof written._header === "string" ? written._header : undefined;
  if (head === undefined) {
    call.isRunNamed = writeOutboundHeaders({
      ...{ context, transaction, runId, span: span.spanContext() },
      find: (name) => headerText(request, name),
      set: (name, value) => request.setHeader(name, value),
    });
    return;
  }
  // Headers given as an array are written out by the constructor; the text is not yet sent.
  if (request.headersSent && request.socket !== null) return;
  if (!head.endsWith("\r\n\r\n")) return;
  let text = head.slice(0, -2);
  const given = text;
  call.isRunNamed = writeOutboundHeaders({
    ...{ context, transaction, runId, span: span.spanContext() },
    find: (name) => new RegExp(`\\r\\n${name}: *(.*)\\r\\n`, "i").exec(given)?.[1],
    set: (name, value) => {
      text += `${name}: ${value}\r\n`;
    },
  });
  written._header = `${text}\r\n`;
}

/**
 * `close` is the one event that every request ends with, once its response was read to the end, or
 * broke off, or never came. The listeners get the context of the code that made the request.
 */
function follow(request: ClientRequest, call: OutboundCall): void {
  const context = call.context ?? EMPTY_CONTEXT;
  let response: IncomingMessage | undefined;
  bindEmitter(request, {
    context,
    keepsInner: false,
    beforeEvent: (event, first) => {
      if (event === "response" && first instanceof IncomingMessage) {
        response = first;
        call.noteResponse(first.statusCode ?? 0, first.headers[HEADER.run]);
        bindEmitter(first, { context, keepsInner: false });
      } else if (event === "upgrade" && first instanceof IncomingMessage) {
        call.noteResponse(first.statusCode ?? 0, first.headers[HEADER.run]);
      } else if (event === "error") {
        call.noteFailure(first);
      }
    },
    onEvent: (event) => {
      if (event !== "close") return;
      if (response !== undefined && !response.complete) {
        call.noteFailure(response.errored ?? new Error("the response broke off"));
      }
      call.end();
    },
  });
}
