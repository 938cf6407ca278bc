import { subscribe } from "node:diagnostics_channel";
import { guard } from "../../stats.ts";
import { findExchange } from "../server-exchange.ts";

interface FastifyRequest {
  readonly raw?: unknown;
  readonly routeOptions?: { readonly url?: unknown };
}

type Done = () => void;

interface FastifyInstance {
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequest, reply: unknown, done: Done) => void,
  ): void;
  addHook(
    name: "onError",
    hook: (request: FastifyRequest, reply: unknown, error: unknown, done: Done) => void,
  ): void;
}

/**
 * Fastify tells of each instance by a channel; its own hooks then tell the route of every request,
 * also of one that never reaches its handler, and every error it answers, also from a hook or from
 * validation. The channel `tracing:fastify.request.handler` tells neither of those.
 */
export function instrumentFastify(): void {
  subscribe(
    "fastify.initialization",
    guard("framework", (message) => {
      const { fastify } = message as { fastify: FastifyInstance };
      fastify.addHook("onRequest", (request, _reply, done) => {
        noteRoute(request);
        done();
      });
      fastify.addHook("onError", (request, _reply, error, done) => {
        noteError(request, error);
        done();
      });
    }),
  );
}

const noteRoute = guard("framework", (request: FastifyRequest) => {
  const url = request.routeOptions?.url;
  if (typeof url === "string") findExchange(request.raw)?.noteRoute(url);
});

const noteError = guard("framework", (request: FastifyRequest, error: unknown) => {
  findExchange(request.raw)?.noteError(error);
});
