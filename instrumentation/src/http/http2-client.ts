import type { EventEmitter } from "node:events";
import { guard } from "../stats.ts";
import { bindEmitter } from "../transaction/bound-emitter.ts";
import { EMPTY_CONTEXT } from "../transaction/transaction-context.ts";
import { HEADER } from "../wire-names.ts";
import {
  type Destination,
  type OutboundCall,
  type OutboundOptions,
  startOutboundCall,
} from "./outbound-call.ts";
import { writeOutboundHeaders } from "./outbound-headers.ts";

/** What is used of a client's session. */
export interface Http2Session {
  request: (this: Http2Session, ...args: unknown[]) => EventEmitter;
}

/** undici traces its requests itself, and marks its sessions with symbols of these names. */
const UNDICI_MARKS: ReadonlySet<unknown> = new Set(["http2Session state", "client"]);

interface Server {
  readonly protocol: string;
  readonly host: string;
  readonly port: number | undefined;
}

/** Follows every request of a session that `http2.connect` made. */
export function watchHttp2Session(
  session: Http2Session,
  authority: unknown,
  options: OutboundOptions,
): void {
  const server = serverOf(authority);
  const original = session.request;
  session.request = function request(...args) {
    if (isOfUndici(this)) return original.apply(this, args);
    let call: OutboundCall | undefined;
    const begin = guard("http2", () => {
      call = startOutboundCall(destinationOf(server, args[0]), options);
      if (call?.isAllowed) args[0] = withIds(args[0], call, options.runId);
    });
    begin();
    if (call === undefined) return original.apply(this, args);
    return send(call, () => original.apply(this, args));
  };
}

/** What the session throws, being closed for example, ends the span and passes unchanged. */
function send(call: OutboundCall, request: () => EventEmitter): EventEmitter {
  try {
    const stream = request();
    follow(stream, call);
    return stream;
  } catch (error) {
    call.noteFailure(error);
    call.end();
    throw error;
  }
}

function follow(stream: EventEmitter, call: OutboundCall): void {
  let isAnswered = false;
  let isFailed = false;
  bindEmitter(stream, {
    context: call.context ?? EMPTY_CONTEXT,
    keepsInner: false,
    beforeEvent: (event, first) => {
      if (event === "response") {
        isAnswered = true;
        const headers = first as Readonly<Record<string, unknown>>;
        call.noteResponse(Number(headers[":status"]), headers[HEADER.run]);
      } else if (event === "error") {
        isFailed = true;
        call.noteFailure(first);
      }
    },
    onEvent: (event) => {
      if (event !== "close") return;
      const { rstCode } = stream as { rstCode?: unknown };
      const isReset = typeof rstCode === "number" && rstCode !== 0;
      if (!isFailed && (isReset || !isAnswered))
        call.noteFailure(new Error("the stream was closed early"));
      call.end();
    },
  });
}

/** As `http2.connect` reads its first argument. */
function serverOf(authority: unknown): Server {
  const url = typeof authority === "string" ? URL.parse(authority) : authority;
  const { protocol, hostname, host, port } = (url ?? {}) as Readonly<Record<string, unknown>>;
  const name = hostname || host || "localhost";
  return {
    protocol: typeof protocol === "string" && protocol !== "" ? protocol : "https:",
    host: String(name),
    port: port === undefined || port === "" ? undefined : Number(port),
  };
}

function destinationOf(server: Server, headers: unknown): Destination {
  return {
    ...server,
    method: findHeader(headers, ":method") ?? "GET",
    path: findHeader(headers, ":path") ?? "/",
    ownId: findHeader(headers, HEADER.transactionId),
  };
}

/** A copy of the request's headers with ours; a list of raw headers stays one. */
function withIds(headers: unknown, call: OutboundCall, runId: string | undefined): unknown {
  const added: [string, string][] = [];
  const { context, transaction, span } = call;
  call.isRunNamed = writeOutboundHeaders({
    ...{ context, transaction, runId, span: span.spanContext() },
    find: (name) => findHeader(headers, name),
    set: (name, value) => added.push([name, value]),
  });
  if (Array.isArray(headers)) return [...headers, ...added.flat()];
  return { ...(headers as object | undefined), ...Object.fromEntries(added) };
}

/** HTTP/2 headers as an object or, since Node 24, as a flat list. */
function findHeader(headers: unknown, wanted: string): string | undefined {
  if (typeof headers !== "object" || headers === null) return undefined;
  if (!Array.isArray(headers)) {
    const found = Object.entries(headers).find(([name]) => name.toLowerCase() === wanted);
    return found === undefined ? undefined : String(found[1]);
  }
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (String(headers[i]).toLowerCase() === wanted) return String(headers[i + 1]);
  }
  return undefined;
}

function isOfUndici(session: object): boolean {
  const names = Object.getOwnPropertySymbols(session).map((symbol) => symbol.description);
  return names.filter((name) => UNDICI_MARKS.has(name)).length === UNDICI_MARKS.size;
}
