import type { ModulePatch } from "../../loading/module-hooks.ts";
import { guard } from "../../stats.ts";
import { findExchange } from "../server-exchange.ts";
import { isVariable, noteMount } from "./express-route.ts";

/**
 * Where Express hands an error on to error handlers, and to its own last one: there is no channel
 * that all versions have. Routes need none of this, Express leaves them on the request; only the
 * paths of routers mounted below parameters are remembered when they are made.
 */
export const EXPRESS_PATCHES: readonly ModulePatch[] = [
  { package: "express", file: "lib/router/layer.js", patch: patchLayer },
  { package: "router", file: "lib/layer.js", patch: patchLayer },
  { package: "finalhandler", file: "index.js", patch: patchFinalHandler },
];

type Handle = (this: unknown, ...args: unknown[]) => unknown;

/** Express 4's names, then those of Express 5. */
const ERROR_METHODS = ["handle_error", "handleError"];
const REQUEST_METHODS = ["handle_request", "handleRequest"];

const noteError = guard("framework", (request: unknown, error: unknown) => {
  if (error !== undefined && error !== null) findExchange(request)?.noteError(error);
});

function patchLayer(exports: unknown): unknown {
  const layer = exports as { prototype: Record<string, unknown> } & (new () => object);
  for (const method of ERROR_METHODS) {
    wrap(
      layer.prototype,
      method,
      (original) =>
        function handleError(...args) {
          noteError(args[1], args[0]);
          return original.apply(this, args);
        },
    );
  }
  return new Proxy(layer, {
    construct(target, args, newTarget) {
      const made: object = Reflect.construct(target, args, newTarget);
      watchMount(made, args[0], args[1]);
      return made;
    },
  });
}

/** `app.use("/tenants/:tenant", router)`: a layer that need not match to the path's end. */
const watchMount = guard("framework", (layer: object, template: unknown, options: unknown) => {
  const { end } = (options ?? {}) as { end?: unknown };
  if (end !== false || !isVariable(template)) return;
  const note = guard("framework", (request: unknown) => noteMount(request as object, template));
  for (const method of REQUEST_METHODS) {
    wrap(
      layer as Record<string, unknown>,
      method,
      (original) =>
        function handleMounted(...args) {
          note(args[0]);
          return original.apply(this, args);
        },
    );
  }
});

function wrap(
  holder: Record<string, unknown>,
  method: string,
  around: (original: Handle) => Handle,
): void {
  const original = holder[method];
  if (typeof original === "function") holder[method] = around(original as Handle);
}

function patchFinalHandler(exports: unknown): unknown {
  const original = exports as Handle;
  return function finalhandler(this: unknown, ...args: unknown[]) {
    const last = original.apply(this, args) as Handle;
    return function lastHandler(this: unknown, error: unknown) {
      noteError(args[0], error);
      return last.call(this, error);
    };
  };
}
