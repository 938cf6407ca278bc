import {
  context,
  propagation,
  type TextMapPropagator,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { TransactionContextManager } from "./transaction-context-manager.ts";

/**
 * Where every copy of @opentelemetry/api 1.x keeps what was registered, and the version of the copy
 * that registered first. Copies with a lower number may read it; none but its own may write.
 */
const GLOBALS_KEY = Symbol.for("opentelemetry.js.api.1");

interface ApiGlobals {
  readonly version?: unknown;
  readonly trace?: unknown;
  readonly diag?: unknown;
}

const shared = globalThis as { [GLOBALS_KEY]?: ApiGlobals };

export type Registration =
  /** Nobody was there before us. */
  | { readonly kind: "first" }
  /** Another SDK traces already; with its version where ours cannot work with it. */
  | { readonly kind: "other-sdk"; readonly version: string | undefined }
  /** Another version of the API has the place, and nobody traces: ours is not let in. */
  | { readonly kind: "other-version"; readonly version: string };

/** Who has the API's place before anything of ours is registered. */
export function findOtherSdk(): Registration {
  const globals = shared[GLOBALS_KEY];
  if (globals?.trace === undefined) return { kind: "first" };
  const isReadable = trace.getTracerProvider() === globals.trace;
  return { kind: "other-sdk", version: isReadable ? undefined : registeredVersion() };
}

/** Whether somebody listens to what the API's parts have to say: a service's own logger stays. */
export function hasDiagLogger(): boolean {
  return shared[GLOBALS_KEY]?.diag !== undefined;
}

/** Registers our parts with the API. It keeps the first: where that is not us, this says why. */
export function registerWithApi(
  provider: TracerProvider,
  propagator: TextMapPropagator,
): Registration {
  const found = findOtherSdk();
  if (found.kind !== "first") return found;
  const isOurs = trace.setGlobalTracerProvider(provider);
  if (!isOurs) return { kind: "other-version", version: registeredVersion() };
  context.setGlobalContextManager(new TransactionContextManager());
  propagation.setGlobalPropagator(propagator);
  return found;
}

/** The version of @opentelemetry/api that was the first to register anything. */
function registeredVersion(): string {
  return String(shared[GLOBALS_KEY]?.version ?? "unknown");
}
