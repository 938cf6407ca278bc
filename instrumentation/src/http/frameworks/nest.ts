import type { ModulePatch } from "../../loading/module-hooks.ts";
import { guard } from "../../stats.ts";
import { findExchange } from "../server-exchange.ts";

/** Nest answers every exception itself, so that the server below it never hears of one. */
export const NEST_PATCHES: readonly ModulePatch[] = [
  {
    package: "@nestjs/core",
    file: "exceptions/exceptions-handler.js",
    patch: (exports) => {
      const { ExceptionsHandler } = exports as { ExceptionsHandler: { prototype: Handler } };
      watchExceptions(ExceptionsHandler.prototype);
    },
  },
];

interface Handler {
  next(this: unknown, exception: unknown, host: unknown): unknown;
}

interface ArgumentsHost {
  getArgByIndex(index: number): unknown;
}

/** The request is the platform's: Express gives Node's own, Fastify one around it. */
const noteError = guard("framework", (exception: unknown, host: ArgumentsHost) => {
  const request = host.getArgByIndex(0);
  const { raw } = (request ?? {}) as { raw?: unknown };
  const exchange = findExchange(request) ?? findExchange(raw);
  exchange?.noteError(exception);
});

function watchExceptions(prototype: Handler): void {
  const original = prototype.next;
  prototype.next = function next(exception, host) {
    noteError(exception, host as ArgumentsHost);
    return original.call(this, exception, host);
  };
}
