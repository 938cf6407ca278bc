import type { EventEmitter } from "node:events";
import { patchBuiltin } from "../loading/builtin-hooks.ts";
import { guard } from "../stats.ts";
import { type Http2Session, watchHttp2Session } from "./http2-client.ts";
import { watchHttp2Server } from "./http2-server.ts";
import type { HttpServerOptions } from "./open-server-span.ts";
import type { OutboundOptions } from "./outbound-call.ts";

/** What is changed of `node:http2`. */
interface Http2Module {
  createServer: (...args: unknown[]) => EventEmitter;
  createSecureServer: (...args: unknown[]) => EventEmitter;
  connect: (...args: unknown[]) => Http2Session;
}

/**
 * Follows HTTP/2 servers and clients where they are made. Node 24 has channels for streams, but
 * they come too late to add a header to a request, and Node 22.15 has none.
 */
export function instrumentHttp2(server: HttpServerOptions, client: OutboundOptions): void {
  patchBuiltin("node:http2", (exports) => {
    const http2 = exports as Http2Module;
    const watchServer = guard("http2", (made: EventEmitter) => watchHttp2Server(made, server));
    const watchSession = guard("http2", (made: Http2Session, authority: unknown) =>
      watchHttp2Session(made, authority, client),
    );
    for (const name of ["createServer", "createSecureServer"] as const) {
      const create = http2[name];
      http2[name] = function createWatched(...args) {
        const made = create(...args);
        watchServer(made);
        return made;
      };
    }
    const { connect } = http2;
    http2.connect = function connectWatched(...args) {
      const session = connect(...args);
      watchSession(session, args[0]);
      return session;
    };
  });
}
