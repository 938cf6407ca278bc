import { EventEmitter } from "node:events";
import { countFault } from "../stats.ts";
import { findContext, runIn, type TransactionContext } from "./transaction-context.ts";

export interface EmitterBinding {
  readonly context: TransactionContext;
  /** Code of the same transaction object that emits by itself keeps its own, deeper context. */
  readonly keepsInner: boolean;
  /** How many listeners Node itself has on an event: those need no context. */
  readonly internalListeners?: Readonly<Record<string | symbol, number>>;
  /** Told of every event before its listeners run. What it throws is counted, not thrown. */
  beforeEvent?(event: string | symbol, first: unknown): void;
  /** Told of every event once its listeners ran, even where one of them threw. Likewise. */
  onEvent?(event: string | symbol, first: unknown, emitter: EventEmitter): void;
}

type Emit = EventEmitter["emit"];

/** Two copies of this package in one process, one of them in a bundle, know each other's. */
const BINDING = Symbol.for("clew.binding");
const plainEmit = EventEmitter.prototype.emit;

interface Bound extends EventEmitter {
  [BINDING]?: EmitterBinding;
}

/**
 * Gives every listener of an emitter its transaction back, however the event came about. Node
 * emits a body's `data` and a response's `finish` from the socket's own callbacks, which belong to
 * the connection and not to the request. An own property is the one place that sees all of them.
 * The function is the same for all emitters: a closure for each would cost every request.
 */
export function bindEmitter(emitter: EventEmitter, binding: EmitterBinding): void {
  const bound: Bound = emitter;
  const { emit } = bound;
  if (bound[BINDING] === undefined) {
    bound[BINDING] = binding;
    if (emit === plainEmit) {
      bound.emit = emitBound;
      return;
    }
  }
  // Bound a second time, or the emitter's class has an `emit` of its own: this surrounds it.
  bound.emit = function emitAround(event: string | symbol, ...rest: unknown[]) {
    return emitWithin(binding, { emitter: this, emit, event, rest });
  };
}

/** The first binding of an emitter, or undefined where it has none. */
export function findBinding(emitter: unknown): EmitterBinding | undefined {
  return typeof emitter === "object" && emitter !== null ? (emitter as Bound)[BINDING] : undefined;
}

function emitBound(this: Bound, event: string | symbol, ...rest: unknown[]): boolean {
  const binding = this[BINDING];
  // A copy of a bound object's properties may have the function and not the binding.
  if (binding === undefined) return plainEmit.call(this, event, ...rest);
  return emitWithin(binding, { emitter: this, emit: plainEmit, event, rest });
}

interface Emission {
  readonly emitter: EventEmitter;
  readonly emit: Emit;
  readonly event: string | symbol;
  readonly rest: unknown[];
}

function emitWithin(binding: EmitterBinding, emission: Emission): boolean {
  if (binding.beforeEvent !== undefined) tellBefore(binding, emission);
  if (binding.onEvent === undefined) return emitIn(binding, emission);
  try {
    return emitIn(binding, emission);
  } finally {
    tellAfter(binding, emission);
  }
}

/** Entering a context costs two objects, and most events of a request have no listener. */
function emitIn(binding: EmitterBinding, { emitter, emit, event, rest }: Emission): boolean {
  const isHere = !hasListeners(emitter, binding, event) || isCurrent(binding);
  if (isHere) return emit.call(emitter, event, ...rest);
  return runIn(binding.context, () => emit.call(emitter, event, ...rest));
}

function tellBefore(binding: EmitterBinding, { event, rest }: Emission): void {
  try {
    binding.beforeEvent?.(event, rest[0]);
  } catch (error) {
    countFault("context", error);
  }
}

function tellAfter(binding: EmitterBinding, { event, rest, emitter }: Emission): void {
  try {
    binding.onEvent?.(event, rest[0], emitter);
  } catch (error) {
    countFault("context", error);
  }
}

function hasListeners(emitter: EventEmitter, binding: EmitterBinding, event: string | symbol) {
  return emitter.listenerCount(event) > (binding.internalListeners?.[event] ?? 0);
}

function isCurrent({ context, keepsInner }: EmitterBinding): boolean {
  const current = findContext();
  if (current === context) return true;
  return keepsInner && current !== undefined && current.transaction === context.transaction;
}
