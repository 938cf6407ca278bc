import type { ModulePatch } from "../../loading/module-hooks.ts";
import { guard } from "../../stats.ts";
import { findExchange } from "../server-exchange.ts";

/** Koa's application handles each request, its context's `onerror` answers what was thrown. */
export const KOA_PATCHES: readonly ModulePatch[] = [
  {
    package: "koa",
    file: "lib/application.js",
    patch: (exports) => {
      watchRequests((exports as { prototype: KoaApplication }).prototype);
    },
  },
  {
    package: "koa",
    file: "lib/context.js",
    patch: (exports) => {
      watchErrors(exports as KoaContext);
    },
  },
];

interface KoaContext {
  readonly req?: unknown;
  /** What @koa/router leaves: the template of the route, with its router's prefix. */
  readonly _matchedRoute?: unknown;
  onerror(this: KoaContext, error: unknown): unknown;
}

interface KoaApplication {
  handleRequest(this: unknown, context: KoaContext, middleware: unknown): unknown;
}

/** An application of Koa, as far as it is used here. */
export interface InstrumentableKoa {
  readonly context: object;
  callback: unknown;
}

const watched = new WeakSet<object>();

/**
 * For a Koa application inside a bundle, where nothing sees Koa being loaded: call it before
 * `listen()` or `callback()`. Elsewhere it changes nothing, because Koa is known already.
 *
 * @returns the application
 */
export function instrumentKoa<A extends InstrumentableKoa>(app: A): A {
  const application: object = app;
  if ("handleRequest" in application) watchRequests(application as KoaApplication);
  if ("onerror" in app.context) watchErrors(app.context as KoaContext);
  return app;
}

const noteRequest = guard("framework", (context: KoaContext) => {
  findExchange(context.req)?.askRoute(() => {
    const route = context._matchedRoute;
    return typeof route === "string" || route instanceof RegExp ? String(route) : undefined;
  });
});

const noteError = guard("framework", (context: KoaContext, error: unknown) => {
  if (error !== undefined && error !== null) findExchange(context.req)?.noteError(error);
});

function watchRequests(application: KoaApplication): void {
  const original = application.handleRequest;
  if (watched.has(original)) return;
  const handleRequest: KoaApplication["handleRequest"] = function (context, middleware) {
    noteRequest(context);
    return original.call(this, context, middleware);
  };
  watched.add(handleRequest);
  application.handleRequest = handleRequest;
}

function watchErrors(context: KoaContext): void {
  const original = context.onerror;
  if (watched.has(original)) return;
  const onerror: KoaContext["onerror"] = function (error) {
    noteError(this, error);
    return original.call(this, error);
  };
  watched.add(onerror);
  context.onerror = onerror;
}
