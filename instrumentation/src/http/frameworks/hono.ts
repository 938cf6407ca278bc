import type { ModulePatch } from "../../loading/module-hooks.ts";
import { guard } from "../../stats.ts";
import { findExchange } from "../server-exchange.ts";

/** Hono's routers: whichever an application uses, its routes pass through `add`. */
const ROUTERS = {
  "linear-router": "LinearRouter",
  "pattern-router": "PatternRouter",
  "reg-exp-router": "RegExpRouter",
  "smart-router": "SmartRouter",
  "trie-router": "TrieRouter",
} as const;

/**
 * Hono keeps its methods on the instance, and a class that an ES module exports cannot be replaced;
 * its routers, which take each route with its handler, can be changed where they are defined.
 */
export const HONO_PATCHES: readonly ModulePatch[] = Object.entries(ROUTERS).flatMap(
  ([folder, name]) =>
    ["dist/router", "dist/cjs/router"].map((root) => ({
      package: "hono",
      file: `${root}/${folder}/router.js`,
      patch: (exports: unknown) => {
        watchRoutes((exports as Record<string, { prototype: HonoRouter }>)[name]?.prototype);
      },
    })),
);

interface HonoRouter {
  add(this: unknown, method: string, path: string, entry: unknown): void;
}

/** An application of Hono, as far as it is used here. */
export interface InstrumentableHono {
  readonly router: object;
}

interface HonoContext {
  readonly env?: { readonly incoming?: unknown };
}

type HonoHandler = (this: unknown, context: HonoContext, next: unknown) => unknown;

/** What Hono calls the routes of `use` and `all`. */
const ANY_METHOD = "ALL";
/** What middleware for everything is registered for. */
const EVERYTHING = /^\/?\*$/;

const watchedRouters = new WeakSet<object>();
const watchedHandlers = new WeakSet<object>();

/**
 * For a Hono application inside a bundle, where nothing sees Hono being loaded: call it before the
 * first route is added. Elsewhere it changes nothing, because Hono is known already.
 *
 * @returns the application
 */
export function instrumentHono<A extends InstrumentableHono>(app: A): A {
  watchRoutes(app.router as HonoRouter);
  return app;
}

function watchRoutes(router: HonoRouter | undefined): void {
  if (router === undefined || typeof router.add !== "function") return;
  const original = router.add;
  if (watchedRouters.has(original)) return;
  const add: HonoRouter["add"] = function (method, path, entry) {
    return original.call(this, method, path, watchEntry(method, entry));
  };
  watchedRouters.add(add);
  router.add = add;
}

/** A route's entry is its handler and what is known of the route, its whole path among it. */
function watchEntry(method: string, entry: unknown): unknown {
  if (!Array.isArray(entry) || typeof entry[0] !== "function") return entry;
  const [handler, route, ...rest] = entry as [HonoHandler, { path?: unknown }, ...unknown[]];
  const path = route?.path;
  if (watchedHandlers.has(handler) || typeof path !== "string") return entry;
  const watched = watchHandler(handler, { method, path });
  watchedHandlers.add(watched);
  return [watched, route, ...rest];
}

interface Route {
  readonly method: string;
  readonly path: string;
}

function watchHandler(handler: HonoHandler, route: Route): HonoHandler {
  const noteError = guard("framework", (context: HonoContext, error: unknown) => {
    findExchange(context.env?.incoming)?.noteError(error);
  });
  return function handle(context, next) {
    noteRoute(context, route);
    let result: unknown;
    try {
      result = handler.call(this, context, next);
    } catch (error) {
      noteError(context, error);
      throw error;
    }
    if (result instanceof Promise) result.catch((error) => noteError(context, error));
    return result;
  };
}

/** The route of a method counts over that of `all`, and middleware for everything is no route. */
const noteRoute = guard("framework", (context: HonoContext, { method, path }: Route) => {
  if (method === ANY_METHOD && EVERYTHING.test(path)) return;
  const exchange = findExchange(context.env?.incoming);
  if (exchange === undefined || (method === ANY_METHOD && exchange.hasRoute)) return;
  exchange.noteRoute(path);
});
